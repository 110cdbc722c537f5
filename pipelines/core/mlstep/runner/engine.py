"""The engine: starts what is ready, watches what runs, retries what crashed, records everything."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlstep.canonical import MANIFEST, iso, now, pretty, read_json, write_atomic
from mlstep.errors import ConfigError
from mlstep.platform import Platform
from mlstep.runner.environment import step_command, step_environment
from mlstep.runner.plan import PlannedStep
from mlstep.runner.process import LOG_FILE, Limits, StepProcess
from mlstep.runner.records import append_event, write_run
from mlstep.runner.reuse import reusable
from mlstep.runner.wakeup import Wakeup

FINAL = {2, 3, 4}  # Configuration, integrity, refusal: the same again would end the same.
_LOOK_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 30.0
_STATES = {"pass": "passed", "warn": "warned", "fail": "failed"}


@dataclass
class _Running:
    step: PlannedStep
    process: StepProcess
    attempt: int


@dataclass
class _Delayed:
    step: PlannedStep
    attempt: int
    due: float


@dataclass
class Engine:
    """Runs a plan to its end.

    Attributes:
        record: the content of `run.json`, kept up to date.
        listen: told of every event.
        cores: how many cores all running steps share.
        pause_seconds: wait before the first retry; doubled for each further one.
    """

    folder: Path
    steps: list[PlannedStep]
    record: dict[str, Any]
    platform: Platform | None
    listen: Callable[[dict[str, Any]], None]
    cores: int = field(
        default_factory=lambda: (
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        )
    )
    pause_seconds: float = 1.0
    _running: list[_Running] = field(default_factory=list)
    _delayed: list[_Delayed] = field(default_factory=list)
    _stopping: str | None = None
    _signalled: bool = False

    def run(self) -> str:
        """Run until nothing is left to do; return the run's state: passed, failed, crashed or stopped."""
        started = time.monotonic()
        self.tell("run-started", pipeline=self.record["pipeline"], author=self.record["author"], total=len(self.steps))
        with Wakeup(self._on_signal) as wakeup:
            self._reuse()
            self._loop(wakeup)
        state = self._state()
        self.record |= {
            "state": state,
            "ended": iso(now()),
            "reasons": self._reasons(),
            "candidate": self._candidate(),
            "pid": None,
        }
        write_run(self.folder, self.record)
        facts = {"candidate": self.record["candidate"]} if self.record["candidate"] else {}
        self.tell("run-finished", state=state, seconds=_since(started), reasons=self.record["reasons"], **facts)
        return state

    def _loop(self, wakeup: Wakeup) -> None:
        while True:
            self._start_ready()
            if not self._running and not self._delayed:
                return
            wakeup.wait([running.process.output for running in self._running], self._timeout())
            if self._signalled:
                self._stop_all()
            for running in list(self._running):
                self._look(running)

    def _timeout(self) -> float:
        soonest = min((delayed.due - time.monotonic() for delayed in self._delayed), default=_LOOK_SECONDS)
        return max(0.0, min(soonest, _LOOK_SECONDS))

    def _reuse(self) -> None:
        """On a resumption, keep what verifies."""
        for step in self.steps:
            kept = reusable(self.folder, step, self.record)
            if kept is not None:
                self._step(step)["reused"] = True
                self.tell(
                    "step-finished",
                    step=step.name,
                    decision=kept["decision"],
                    seconds=0.0,
                    reasons=["kept: its outputs verify"],
                    reused=True,
                )

    def _start_ready(self) -> None:
        for delayed in [entry for entry in self._delayed if entry.due <= time.monotonic()]:
            self._delayed.remove(delayed)
            self._start(delayed.step, delayed.attempt)
        if self._is_stopping():
            return
        busy = {running.step.name for running in self._running} | {delayed.step.name for delayed in self._delayed}
        for step in self.steps:
            used = sum(min(running.step.cpu, self.cores) for running in self._running)
            ready = (
                self._step(step)["state"] == "waiting"
                and step.name not in busy
                and all(self._is_done(name) for name in step.needs)
            )
            if ready and (not self._running or used + min(step.cpu, self.cores) <= self.cores):
                self._start(step, 1)
                if self._is_stopping():
                    return

    def _is_stopping(self) -> bool:
        return self._stopping is not None

    def _is_done(self, name: str) -> bool:
        state = self.record["steps"].get(name, {"state": "passed"})["state"]
        return state in ("passed", "warned", "failed")

    def _start(self, step: PlannedStep, attempt: int) -> None:
        folder = self.folder / step.name
        folder.mkdir(parents=True, exist_ok=True)
        entry = self._step(step)
        entry |= {"state": "running", "attempts": entry.get("attempts", 0) + 1, "started": iso(now())}
        try:
            environment = step_environment(step, self.platform, self.cores)
            config = None
            if step.config:
                config = folder / "config.json"
                write_atomic(config, pretty(step.config))
            command = step_command(step, folder, self.record["run"], self._inputs(step), config)
        except ConfigError as error:
            self._settle(step, "crashed", None, [str(error)], 0.0)
            return
        process = StepProcess(
            command, environment, folder / LOG_FILE, Limits(step.timeout_seconds, step.memory_gib * 1024)
        )
        self._running.append(_Running(step, process, attempt))
        write_run(self.folder, self.record)
        self.tell(
            "step-started", step=step.name, attempt=attempt, cpu=step.cpu, memory_gib=step.memory_gib, pid=process.id
        )

    def _inputs(self, step: PlannedStep) -> dict[str, str]:
        paths = {}
        for name, value in step.inputs.items():
            source, colon, output = value.partition(":")
            own = bool(colon) and source in self.record["steps"]
            paths[name] = str(self.folder / source / output) if own else value
        return paths

    def _look(self, running: _Running) -> None:
        for progress in running.process.read():
            self.tell("step-progress", step=running.step.name, **progress)
        running.process.watch()
        code = running.process.finished()
        if code is None:
            return
        running.process.close()
        self._running.remove(running)
        seconds = _since(running.process.started)
        self._step(running.step)["peak_memory_mib"] = round(running.process.peak_mib, 1)
        result = self.folder / running.step.name / "result.json"
        if code == 0 and result.is_file():
            outcome = read_json(result)
            self._settle(running.step, _STATES[outcome["decision"]], outcome["decision"], outcome["reasons"], seconds)
        else:
            self._crashed(running, code, seconds)

    def _crashed(self, running: _Running, code: int, seconds: float) -> None:
        step, process = running.step, running.process
        for partial in (self.folder / step.name).glob(".*.partial"):
            shutil.rmtree(partial)  # A killed step cannot tidy up; what it left may fill the disk.
        if self._signalled:
            self._settle(step, "stopped", None, ["the run was stopped"], seconds)
            return
        why = process.stopped_for or _ended(code)
        words = process.last_words() if process.stopped_for is None else ""
        reason = f"{step.name}: {why}" + (f": {words}" if words else "") + f" (log: {process.log})"
        over_memory = process.stopped_for is not None and "memory" in process.stopped_for
        if code in FINAL or over_memory or running.attempt > step.retries or self._stopping is not None:
            self._settle(step, "crashed", None, [reason], seconds, exit_code=code)
            return
        pause = min(self.pause_seconds * 2 ** (running.attempt - 1), _LONGEST_PAUSE_SECONDS)
        self._delayed.append(_Delayed(step, running.attempt + 1, time.monotonic() + pause))
        self.tell(
            "step-retried",
            step=step.name,
            attempt=running.attempt + 1,
            seconds=seconds,
            pause_seconds=pause,
            reasons=[reason],
        )

    def _settle(
        self, step: PlannedStep, state: str, decision: str | None, reasons: list[str], seconds: float, **facts: Any
    ) -> None:
        self._step(step).update(
            state=state, decision=decision, reasons=reasons, seconds=seconds, ended=iso(now()), **facts
        )
        if state in ("crashed", "stopped") or (state == "failed" and step.on_fail == "stop"):
            self._stopping = self._stopping or step.name
        write_run(self.folder, self.record)
        self.tell("step-finished", step=step.name, state=state, decision=decision, seconds=seconds, reasons=reasons)

    def _step(self, step: PlannedStep) -> dict[str, Any]:
        entry: dict[str, Any] = self.record["steps"][step.name]
        return entry

    def _on_signal(self) -> None:
        self._signalled = True

    def _stop_all(self) -> None:
        self._stopping = self._stopping or "signal"
        for delayed in self._delayed:
            self._settle(delayed.step, "stopped", None, ["the run was stopped"], 0.0)
        self._delayed.clear()
        for running in self._running:
            running.process.stop()

    def _state(self) -> str:
        states = {name: entry["state"] for name, entry in self.record["steps"].items()}
        if "crashed" in states.values():
            return "crashed"
        if self._signalled:
            return "stopped"
        return (
            "failed" if any(self._decides(step) for step in self.steps if states[step.name] == "failed") else "passed"
        )

    def _decides(self, step: PlannedStep) -> bool:
        """Whether a failed step fails the run: not when its verdict was left to a step that has read it since."""
        if step.on_fail == "stop":
            return True
        readers = [
            other for other in self.steps if any(value.startswith(f"{step.name}:") for value in other.inputs.values())
        ]
        return not any(self._is_done(reader.name) for reader in readers)

    def _reasons(self) -> list[str]:
        bad = ("failed", "crashed", "stopped")
        steps = [(step.name, self._step(step)) for step in self.steps]
        return [
            f"{name}: {reason}" if not reason.startswith(f"{name}: ") else reason
            for name, entry in steps
            if entry["state"] in bad
            for reason in entry["reasons"]
        ]

    def _candidate(self) -> dict[str, Any] | None:
        for step in self.steps:
            file = self.folder / step.name / "candidate" / "candidate.json"
            if (
                "candidate" in step.outputs
                and self._is_done(step.name)
                and (file.parent / MANIFEST).is_file()
                and file.is_file()
            ):
                content = read_json(file)
                return {key: content[key] for key in ("model", "version", "digest") if key in content}
        return None

    def tell(self, kind: str, **facts: Any) -> None:
        """Append an event to the run and hand it to the listener."""
        event = {"type": kind, "time": iso(now()), "run": self.record["run"], **facts}
        append_event(self.folder, event)
        self.listen(event)


def _since(moment: float) -> float:
    return round(time.monotonic() - moment, 3)


def _ended(code: int) -> str:
    if code < 0:
        return f"ended by signal {signal.Signals(-code).name}"
    return "ended without a result" if code == 0 else f"ended with exit code {code}"
