"""Starts runs as processes of their own, which outlive a crash of the scheduler and end with its orderly stop."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlstep.canonical import now
from mlstep.errors import ConfigError
from mlstep.platform import Platform
from mlstep.runner.definition import read_pipeline
from mlstep.runner.identifiers import RANDOM_BYTES, is_run_id, make_run_id
from mlstep.runner.lock import busy, holder
from mlstep.runner.plan import check_names
from mlstep.runner.records import RUN_FILE, find_run, read_events, read_run

_STOP_SECONDS = 8.0
_LAST_LINES = 20


@dataclass(frozen=True)
class _Child:
    pipeline: str
    process: "subprocess.Popen[bytes]"


class Launcher:
    """Runs of one platform that this scheduler, or one before it, has started."""

    def __init__(self, root: Path, platform: Platform) -> None:
        self.root = root
        self.platform = platform
        self._children: dict[str, _Child] = {}

    def start(self, pipeline: str, parameters: dict[str, str], author: str, reason: str) -> str:
        """Start a run; return its name before it has done anything.

        Raises:
            ConfigError: no such pipeline, a wrong definition, or a parameter that cannot be set.
            UnavailableError: another run of this pipeline has not ended.
        """
        check_names(read_pipeline(self.definition(pipeline)), parameters)
        run = make_run_id(now(), os.urandom(RANDOM_BYTES))
        arguments = [pipeline, "--run-id", run, "--author", author, "--reason", reason]
        for name, value in parameters.items():
            arguments += ["--parameter", f"{name}={value}"]
        self._check_free(pipeline)
        self._spawn(pipeline, run, arguments)
        return run

    def resume(self, run: str, author: str) -> str:
        """Resume a run from its failed step.

        Raises:
            ConfigError: no such run.
            UnavailableError: its pipeline is busy.
        """
        folder = find_run(self.root, run)
        self._check_free(folder.parent.name)
        self._spawn(folder.parent.name, folder.name, ["--resume", folder.name, "--author", author])
        return folder.name

    def definition(self, pipeline: str) -> Path:
        """The definition of one of the platform's pipelines.

        Raises:
            ConfigError: no such pipeline.
        """
        known = {entry["name"]: entry["definition"] for entry in self.platform.stage("pipelines")["pipelines"]}
        if pipeline not in known:
            raise ConfigError(
                f"pipeline {pipeline}: not one of the platform's", f"pipelines: {', '.join(sorted(known)) or 'none'}"
            )
        return Path(known[pipeline])

    def describe(self, run: str, events: int) -> dict[str, Any]:
        """A run's record and its last events; before the record exists, `starting`, or `refused` with the reason.

        Raises:
            ConfigError: no such run.
        """
        if is_run_id(run) and not list((self.root / "runs").glob(f"*/{run}/{RUN_FILE}")) and self._log(run).is_file():
            state = "starting" if self._is_running(run) else "refused"
            words = self._log(run).read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
            return {"run": run, "state": state, "reasons": words if state == "refused" else [], "events": []}
        folder = find_run(self.root, run)
        return {**read_run(folder), "events": read_events(folder, events)}

    def reap(self) -> None:
        """Let go of children that have ended."""
        self._children = {run: child for run, child in self._children.items() if child.process.poll() is None}

    def running(self) -> list[dict[str, Any]]:
        """Who holds which pipeline, whoever started it."""
        holders = [
            (folder.name, holder(folder)) for folder in sorted((self.root / "runs").glob("*")) if folder.is_dir()
        ]
        return [{"pipeline": name, **who} for name, who in holders if who is not None]

    def stop_all(self) -> None:
        """End every run started from here or by a scheduler before; they are marked stopped and can be resumed."""
        processes = {child.process.pid for child in self._children.values() if child.process.poll() is None}
        processes |= {
            int(who["pid"]) for who in self.running() if "pid" in who and self._log(str(who.get("run"))).is_file()
        }
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
        end = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < end and any(self._exists(process) for process in processes):
            self.reap()
            time.sleep(0.05)

    def _check_free(self, pipeline: str) -> None:
        folder = self.root / "runs" / pipeline
        who = holder(folder)
        if who is not None:
            raise busy(folder, who)
        for run, child in self._children.items():  # Started a moment ago, it may not hold the lock yet.
            if child.pipeline == pipeline and child.process.poll() is None:
                raise busy(folder, {"run": run, "pid": child.process.pid})

    def _spawn(self, pipeline: str, run: str, arguments: list[str]) -> None:
        log = self._log(run)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-P", "-m", "mlstep.cli", "run", *arguments, "--root", str(self.root)]
        with log.open("ab") as stream:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
            )
        self._children[run] = _Child(pipeline, process)

    def _log(self, run: str) -> Path:
        return self.root / "logs" / "runs" / f"{run}.log"

    def _is_running(self, run: str) -> bool:
        child = self._children.get(run)
        return child is not None and child.process.poll() is None

    def _exists(self, process: int) -> bool:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return True
