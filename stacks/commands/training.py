"""Run a pipeline of the platform and say what came of it."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from pathlib import Path

from stacks.commands import run_time
from stacks.commands.failure import Failure
from stacks.commands.pipeline_run import RunView, follow
from stacks.commands.ui import Screen


@dataclass(frozen=True)
class RunRequest:
    """What to run, and on what."""

    pipeline: str
    until: str | None = None
    resume: str | None = None
    data: Path | None = None
    contract: Path | None = None
    author: str | None = None

    def arguments(self) -> list[str]:
        """Return the `mlstep run` command.

        Raises:
            Failure: a file is missing.
        """
        command = ["run", self.pipeline, "--events", "--author", self.author or getpass.getuser()]
        for option, value in (("--until", self.until), ("--resume", self.resume)):
            command += [option, value] if value else []
        for option, path in (("--data", self.data), ("--contract", self.contract)):
            command += [option, str(existing(path, option))] if path else []
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


def run_pipeline(screen: Screen, root: Path, request: RunRequest) -> RunView:
    """Run a pipeline with a line per step; the view says how it ended, also when the gate says no.

    Raises:
        Failure: the run itself broke, for example because a step crashed.
    """
    label = f"pipeline {request.pipeline}"
    arguments = request.arguments()
    with screen.running(label) as progress:
        try:
            view = follow(run_time.stream(root, arguments), progress)
        except Failure as failure:
            raise _broken(failure, root, request) from None
        seconds = progress.seconds
    show = screen.failed if view.decision == "fail" else screen.done
    show(label, f"{len(view.steps)} steps, run {view.run}", view.total_seconds or seconds)
    return view


def gate_failure(view: RunView, stack_name: str) -> Failure:
    """Return the failure of a run that ended with the decision `fail`: reasons first, then what to do."""
    return Failure(
        f"run {view.run} ended with the decision fail; nothing was promoted",
        view.failure_reasons(),
        [
            "correct the data, the contract or the training as the reasons say, then: strata run PIPELINE",
            f"what was measured: strata status {stack_name}, and the run's page in the portal",
        ],
        exit_code=4,
    )


def _broken(failure: Failure, root: Path, request: RunRequest) -> Failure:
    remedy = list(failure.remedy) or [f"remove the cause, then: strata run {request.pipeline} --resume RUN"]
    folder = root / "runs" / request.pipeline
    runs = sorted(folder.iterdir()) if folder.is_dir() else []
    log = runs[-1] if runs else None
    return Failure(f"pipeline {request.pipeline} broke", failure.why, remedy, log, failure.exit_code)
