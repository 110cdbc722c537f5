"""The first day of a platform: without a champion, run the pipeline, sign, promote, and get a first answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stacks.commands import platform_files, signing
from stacks.commands.failure import Failure
from stacks.commands.platform_files import Champion
from stacks.commands.training import RunRequest, existing, refused, run_pipeline
from stacks.commands.ui import Screen
from stacks.record import Record
from stacks.record_model import Signer


@dataclass(frozen=True)
class UserRows:
    """A file of the user's, with its contract."""

    data: Path
    contract: Path


@dataclass(frozen=True)
class FirstRun:
    """What there is after the first day."""

    champions: list[Champion]
    answer: dict[str, Any] | None = field(default=None)

    @property
    def request_id(self) -> str | None:
        """Request id of the first answer."""
        return str(self.answer["request_id"]) if self.answer and self.answer.get("request_id") else None


def rows_of_the_user(data: Path | None, contract: Path | None) -> UserRows | None:
    """Return the user's file and contract, or None when neither was given.

    Raises:
        Failure: only one was given, or a file is missing.
    """
    if data is None and contract is None:
        return None
    if data is None or contract is None:
        given, missing = ("--data", "--contract") if contract is None else ("--contract", "--data")
        remedy = ["give both"]
        if data is not None:
            remedy.append(f"a contract for a file is proposed by: strata new-contract {data} --target COLUMN")
        raise Failure(f"{given} without {missing}", "rows mean nothing without their contract", remedy, exit_code=2)
    return UserRows(existing(data, "--data"), existing(contract, "--contract"))


def ensure_champion(screen: Screen, record: Record, rows: UserRows | None) -> FirstRun | None:
    """Give the platform a champion when it has none, or when rows were given; then one answer.

    Raises:
        Failure: the run broke, the gate said no, nobody may sign here, or the service did not answer.
    """
    if not record.file.pipelines:
        return None
    present = platform_files.champions(record)
    if present and rows is None:
        for champion in present:
            screen.done("champion", champion.sentence())
        return FirstRun(present)
    candidate = _candidate_of_last_run(record, rows) or _train(screen, record, rows)
    _sign(screen, record, candidate)
    answer = _first_answer(screen, record, candidate)
    return FirstRun(platform_files.champions(record), answer)


def _candidate_of_last_run(record: Record, rows: UserRows | None) -> dict[str, Any] | None:
    """Return what the last run registered, when only the signature is missing: an interrupted `up` goes on there."""
    last = None if rows else platform_files.last_run(record, record.file.pipelines[0].name)
    return last.get("candidate") if last and last["state"] == "passed" else None


def _train(screen: Screen, record: Record, rows: UserRows | None) -> dict[str, Any]:
    pipeline = record.file.pipelines[0].name
    request = RunRequest(pipeline, data=rows.data if rows else None, contract=rows.contract if rows else None)
    last = None if rows else platform_files.last_run(record, pipeline)
    if last and last["state"] in {"running", "crashed", "stopped"}:
        request = RunRequest(pipeline, resume=str(last["run"]))
        screen.say(f"   going on with run {last['run']}, which was {last['state']}")
    view = run_pipeline(screen, record, request)
    if view.state == "failed":
        raise refused(view, record, pipeline)
    if not view.candidate:
        folder = record.root / "runs" / pipeline / view.run
        raise Failure(f"run {view.run} registered no candidate", "its pipeline has no step register", log=folder)
    return view.candidate


def demo_signer(record: Record) -> Signer:
    """Return the signer whose key the platform itself made; only such a one can sign without a person.

    Raises:
        Failure: there is none, so a person has to sign.
    """
    gate = record.file.pipelines[0].approval_gate
    for signer in record.file.signers:
        if signer.key == "demo" and signer.role == gate:
            return signer
    raise Failure(
        "a person has to sign this candidate",
        f"no signer with the role {gate} has a demo key in {record.path.name}",
        f"strata sign MODEL VERSION --as {gate} --stack {record.stack_name}",
        exit_code=4,
    )


def _sign(screen: Screen, record: Record, candidate: dict[str, Any]) -> None:
    signer = demo_signer(record)
    model, version = str(candidate["model"]), str(candidate["version"])
    started = time.monotonic()
    signing.sign_and_promote(record.root, model, version, signer.name)
    promoted = next(entry for entry in platform_files.champions(record) if entry.model == model)
    screen.done("promoted", promoted.sentence(), time.monotonic() - started)


def _first_answer(screen: Screen, record: Record, candidate: dict[str, Any]) -> dict[str, Any]:
    from stacks.commands.prediction import ask

    answer, seconds = ask(record, candidate)
    score = answer.get("score")
    shown = f"{score:.3f}" if isinstance(score, int | float) else str(score)
    screen.done(
        "first answer",
        f"POST /models/{candidate['model']}/predict -> {shown} (request {answer['request_id']})",
        seconds,
    )
    return answer
