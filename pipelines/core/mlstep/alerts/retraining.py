"""Ask the scheduler for a retraining run, if the guards allow it. It ends at the gate: promotion stays with people."""

import fcntl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlstep import history, platform
from mlstep.alerts import guards, intake, journal, promotion
from mlstep.canonical import iso, read_json, write_atomic
from mlstep.errors import ConfigError, StrataError
from mlstep.monitoring import signals
from mlstep.platform import Platform
from mlstep.runner.lock import holder

FREEZE_FILE = "freeze"
Submit = Callable[[str, str, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Request:
    """Who asks for retraining of which model, and why."""

    model: str
    reason: str
    manual: bool
    by: str


def ask(
    root: Path, request: Request, submit: Submit, now: datetime, unless_like: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Decide, start the run if it may start, keep the decision; returns the decision.

    One decision at a time: two alerts that come together do not both pass the guards.

    Args:
        unless_like: a decision of before; one like it is not kept once more.

    Returns:
        `{time, model, pipeline, decision: started|refused|failed, reasons, run, by, manual, reason, source,
        promotion_blocked_by}`.
    """
    journal.folder(root).mkdir(parents=True, exist_ok=True)
    with (journal.folder(root) / ".retraining.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        decision = _decide(root, request, submit, now)
        if unless_like is None or _kind(unless_like) != _kind(decision):
            journal.append(root, journal.RETRAINING, decision)
    return decision


def ask_again(root: Path, submit: Submit, now: datetime) -> list[dict[str, Any]]:
    """Ask again for every model whose alert is still on and whose last request started nothing; keeps what is new.

    A cool-down ends, a run ends, a scheduler comes back: none of them raises an alert.
    """
    wanting = {
        entry["labels"].get("model", "") for entry in intake.firing(root) if entry["labels"].get("retrain") == "true"
    }
    last = {entry["model"]: entry for entry in journal.read(root, journal.RETRAINING)}
    decisions = []
    for model in sorted(wanting & set(last)):
        before = last[model]
        if before["decision"] != "started":
            request = Request(model, before["reason"], False, "alert, asked again")
            decisions.append(ask(root, request, submit, now, unless_like=before))
    return decisions


def promotion_blocked_by(root: Path, model: str) -> list[str]:
    """Signals that are on for a model and forbid promotions meanwhile; `promotion.refusals` judges one candidate."""
    return sorted({entry["labels"]["signal"] for entry in promotion.forbidding(root, model)})


def freeze(root: Path, reason: str, by: str, now: datetime) -> None:
    """Let no retraining start until `unfreeze`."""
    write_atomic(journal.folder(root) / FREEZE_FILE, f"{reason} ({by}, {iso(now)})\n", 0o640)


def unfreeze(root: Path) -> bool:
    """Allow retraining again; returns whether it was frozen."""
    file = journal.folder(root) / FREEZE_FILE
    frozen = file.is_file()
    file.unlink(missing_ok=True)
    return frozen


def frozen(root: Path) -> str | None:
    """Why retraining is frozen, or None; an empty file freezes too."""
    file = journal.folder(root) / FREEZE_FILE
    return (file.read_text(encoding="utf-8").strip() or "by an empty file") if file.is_file() else None


def post_run(url: str, token: str, content: dict[str, Any]) -> dict[str, Any]:
    """POST a run to the scheduler.

    Raises:
        ConfigError: it refuses the run.
        UnavailableError: it does not answer.
    """
    import httpx

    from mlstep.errors import UnavailableError

    try:
        answer = httpx.post(
            url, json=content, headers={"Authorization": f"Bearer {token}"}, timeout=15.0, trust_env=False
        )
    except httpx.HTTPError as error:
        raise UnavailableError(
            f"the scheduler ({url}) does not answer: {type(error).__name__}", "`strata status` says whether it runs"
        ) from None
    if answer.status_code >= 400:
        raise ConfigError(
            f"the scheduler refused the run: {answer.status_code} {answer.text[:300]}", "correct what it names"
        )
    found: dict[str, Any] = answer.json()
    return found


def _decide(root: Path, request: Request, submit: Submit, now: datetime) -> dict[str, Any]:
    facts = platform.load(root)
    pipeline = _pipeline(facts, request.model)
    decision: dict[str, Any] = {
        "time": iso(now),
        "model": request.model,
        "pipeline": pipeline,
        "decision": "refused",
        "reasons": [],
        "run": None,
        "by": request.by,
        "manual": request.manual,
        "reason": request.reason,
        "source": None,
        "promotion_blocked_by": promotion_blocked_by(root, request.model),
    }
    if not facts.has("feature_store"):
        return {**decision, "reasons": ["the platform has no retraining trigger yet: it comes with stage 4"]}
    if pipeline is None:
        return {**decision, "reasons": [f"no pipeline of this platform trains {request.model}"]}
    refused = guards.refusals(_situation(root, request, pipeline, now), _limits(facts))
    if refused:
        return {**decision, "reasons": refused}
    source = source_override(root, facts)
    try:
        answer = submit(
            facts.stage("pipelines")["submit_reference"],
            facts.identity("pipeline")[1],
            _run(request, pipeline, source, decision),
        )
    except StrataError as error:
        return {**decision, "decision": "failed", "reasons": [error.what]}
    return {**decision, "decision": "started", "run": answer.get("run"), "source": source}


def _kind(decision: dict[str, Any]) -> tuple[str, list[str]]:
    """A decision without its numbers, which grow with time."""
    return decision["decision"], [
        "".join(letter for letter in reason if not letter.isdigit()) for reason in decision["reasons"]
    ]


def source_override(root: Path, facts: Platform) -> str | None:
    """Where retraining reads its rows from, if not from where the record says.

    `<root>/sources/<dataset>.json` holds {"source": …}.

    Raises:
        ConfigError: the file holds no source.
    """
    file = root / "sources" / f"{facts.stage('governance')['data'][0]['name']}.json"
    if not file.is_file():
        return None
    try:
        return str(read_json(file)["source"])
    except (ValueError, KeyError, TypeError):
        raise ConfigError(
            f"{file} holds no source", 'write {"source": "<path or synthetic:…>"}, or remove the file'
        ) from None


def _run(request: Request, pipeline: str, source: str | None, decision: dict[str, Any]) -> dict[str, Any]:
    blocked = decision["promotion_blocked_by"]
    note = f"; no promotion while {', '.join(blocked)} is on" if blocked else ""
    parameters = {} if source is None else {"source": source}
    return {
        "pipeline": pipeline,
        "parameters": parameters,
        "author": "retraining",
        "reason": f"{request.reason} (asked by {request.by}){note}",
    }


def _situation(root: Path, request: Request, pipeline: str, now: datetime) -> guards.Situation:
    earlier = [
        entry
        for entry in journal.read(root, journal.RETRAINING)
        if entry["decision"] == "started" and entry["pipeline"] == pipeline
    ]
    held = holder(root / "runs" / pipeline)
    wanted = tuple(
        sorted(
            {
                entry["labels"].get("signal", "")
                for entry in _of_model(root, request.model)
                if entry["labels"].get("retrain") == "true"
            }
        )
    )
    return guards.Situation(
        now=now,
        started=tuple(datetime.fromisoformat(entry["time"]) for entry in earlier),
        running=None if held is None else f"{held.get('run', '?')} by {held.get('author', '?')}",
        frozen=frozen(root),
        alerts=wanted,
        manual=request.manual,
    )


def _of_model(root: Path, model: str) -> list[dict[str, Any]]:
    return [entry for entry in intake.firing(root) if entry["labels"].get("model") == model]


def _limits(facts: Platform) -> guards.Limits:
    ours = signals.load(Path(facts.stage("monitoring")["signals"])).retraining
    return guards.limits(
        facts.stage("feature_store").get("guards") or {}, ours.cool_down_hours, ours.maximum_runs_per_week
    )


def _pipeline(facts: Platform, model: str) -> str | None:
    """The pipeline that trained the champion; without a champion the one named like the model."""
    if not facts.has("pipelines"):
        return None
    names = [entry["name"] for entry in facts.stage("pipelines")["pipelines"]]
    champion = history.current(facts, model)
    trained = champion.pipeline if champion is not None else model
    return trained if trained in names else None
