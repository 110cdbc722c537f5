"""Run a pipeline of the platform and say what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stacks.commands import run_time
from stacks.commands.failure import Failure
from stacks.commands.pipeline_run import RunView, follow
from stacks.commands.ui import Screen
from stacks.record import Record


@dataclass(frozen=True)
class RunRequest:
    """What to run, and on what."""

    pipeline: str
    until: str | None = None
    resume: str | None = None
    data: Path | None = None
    contract: Path | None = None
    author: str | None = None

    def arguments(self, record: Record) -> list[str]:
        """Return the `mlstep run` command.

        Stage 1 has no pipelines of its own: there the same definition runs as a job, from the record's path.

        Raises:
            Failure: a file is missing, or a run is resumed on other data.
        """
        if self.resume and (self.data or self.contract or self.until):
            raise Failure(
                "--resume goes on with a run as it was begun",
                "it takes no --data, --contract or --until",
                "start a new run without --resume",
                exit_code=2,
            )
        definitions = {pipeline.name: str(record.absolute(pipeline.definition)) for pipeline in record.file.pipelines}
        command = ["run", self.pipeline if record.stage > 1 else definitions[self.pipeline], "--events"]
        for option, value in (("--until", self.until), ("--resume", self.resume), ("--author", self.author)):
            command += [option, value] if value else []
        for name, path in (("source", self.data), ("contract", self.contract)):
            command += ["--parameter", f"{name}={existing(path, f'--{name}')}"] if path else []
        return command


def existing(path: Path, option: str) -> Path:
    """Return a file's absolute path.

    Raises:
        Failure: it is not there.
    """
    full = path.expanduser().resolve()
    if not full.is_file():
        raise Failure(f"{option} {path}: no such file", f"looked for {full}", "correct the path", exit_code=2)
    return full


def run_pipeline(screen: Screen, record: Record, request: RunRequest) -> RunView:
    """Run a pipeline with a line per step; the view says how it ended, also when the gate says no.

    Raises:
        Failure: the run broke or was stopped; says how to go on with it.
    """
    label = f"pipeline {request.pipeline}"
    arguments = request.arguments(record)
    view = RunView()
    try:
        with screen.running(label) as progress:
            follow(view, run_time.stream(record.root, arguments, last="run-finished"), progress)
    except KeyboardInterrupt:
        view.state = "stopped"
    show = screen.done if view.state == "passed" else screen.failed
    show(label, f"{len(view.steps)} steps, run {view.run}", view.total_seconds)
    if view.features is not None:
        online = screen.done if view.features["state"] == "passed" else screen.failed
        online("features online", "; ".join(" ".join(reason.split()) for reason in view.features["reasons"]))
    if view.state in {"crashed", "stopped"}:
        raise _broken(view, record, request.pipeline)
    return view


def refused(view: RunView, record: Record, pipeline: str) -> Failure:
    """Return the failure of a run that ended as `failed`: reasons first, then what to do."""
    return Failure(
        f"run {view.run} failed; nothing was promoted",
        view.failure_reasons(),
        [
            "change what the reasons name (data, contract, training or the policy of Risk), then run it again:",
            f"strata run {pipeline} --stack {record.stack_name}",
        ],
        record.root / "runs" / pipeline / view.run,
        exit_code=4,
    )


def _broken(view: RunView, record: Record, pipeline: str) -> Failure:
    return Failure(
        f"run {view.run} {view.state}",
        view.failure_reasons(),
        [
            "go on from there, once the cause is removed:",
            f"strata run {pipeline} --resume {view.run or 'last'} --stack {record.stack_name}",
        ],
        record.root / "runs" / pipeline / view.run,
        exit_code=130 if view.state == "stopped" else 1,
    )
