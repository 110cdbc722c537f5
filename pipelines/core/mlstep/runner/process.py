"""One step's process: started in a session of its own, watched, and gone when the runner is gone."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
_GRACE_SECONDS = 5.0
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20
_LAST_BYTES = 16_384
LOG_FILE = "log.txt"


@dataclass
class Limits:
    """What a process may use; None is unlimited.

    Attributes:
        memory_mib: resident memory of the process and its children. Resident, not virtual: polars and OpenBLAS reserve
            address space far beyond what they use, so a limit on it would stop healthy steps.
    """

    seconds: float | None
    memory_mib: float | None


class StepProcess:
    """A running step."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path, limits: Limits) -> None:
        self.limits = limits
        self.log = log
        self.peak_mib = 0.0
        self.stopped_for: str | None = None
        self.started = time.monotonic()
        self._rest = b""
        self._kill_at: float | None = None
        self._log: IO[bytes] = log.open("ab")
        self._log_start = self._log.tell()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            start_new_session=True,
            preexec_fn=_die_with_parent(os.getpid()) if sys.platform == "linux" else None,  # noqa: PLW1509 - the runner has one thread
        )
        assert self._process.stdout is not None
        self.output = self._process.stdout
        os.set_blocking(self.output.fileno(), False)

    @property
    def id(self) -> int:
        """The process's number."""
        return self._process.pid

    def read(self) -> list[dict[str, Any]]:
        """Progress written since the last call; everything else goes to the log."""
        progress = []
        while True:
            try:
                data = os.read(self.output.fileno(), 65_536)
            except BlockingIOError:
                break
            if not data:
                break
            self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            found = _progress(line)
            if found is None:
                self._log.write(line + b"\n")
            else:
                progress.append(found)
        self._log.flush()
        return progress

    def watch(self) -> None:
        """End a process that is over its time or memory; insist when it does not go."""
        now = time.monotonic()
        if self._kill_at is not None:
            if now >= self._kill_at:
                self._signal(signal.SIGKILL)
            return
        memory = resident_mib(self.id)
        self.peak_mib = max(self.peak_mib, memory)
        if self.limits.memory_mib is not None and memory > self.limits.memory_mib:
            allowed = f"{self.limits.memory_mib:.0f} MiB are allowed"
            self.stopped_for = f"used {memory:.0f} MiB of memory, {allowed}: give it a larger class (resources)"
            self._signal(signal.SIGKILL)
        elif self.limits.seconds is not None and now - self.started > self.limits.seconds:
            self.stopped_for = f"ran longer than {self.limits.seconds:g} seconds (timeout_seconds)"
            self.stop()

    def stop(self) -> None:
        """Ask the process to end; it is killed some seconds later if it does not."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + _GRACE_SECONDS
            self._signal(signal.SIGTERM)

    def finished(self) -> int | None:
        """The exit code once it has ended, negative for a signal; everything it left behind is killed."""
        code = self._process.poll()
        if code is None:
            return None
        self._signal(signal.SIGKILL)  # Its children share its session.
        return code

    def close(self) -> None:
        """Write what is left of its output into the log."""
        self.read()
        if self._rest:
            self._log.write(self._rest + b"\n")
        self._log.close()
        self.output.close()

    def last_words(self) -> str:
        """The message it ended with: the last error of ours, else the last line that is not blank."""
        data = self.log.read_bytes()[self._log_start :][-_LAST_BYTES:].decode("utf-8", "replace")
        lines = [line for line in data.splitlines() if line.strip()]
        for number in range(len(lines) - 1, -1, -1):
            if lines[number].startswith("mlstep step: "):
                return "\n".join([lines[number].removeprefix("mlstep step: "), *lines[number + 1 :]])
        return lines[-1] if lines else ""

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.id, number)
        except (ProcessLookupError, PermissionError):
            return  # It and all its children are gone already.


def resident_mib(process: int) -> float:
    """Resident memory of a process and its descendants in MiB; 0 where /proc does not tell."""
    total, pending = 0.0, [process]
    while pending:
        current = pending.pop()
        try:
            total += int(Path(f"/proc/{current}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_MIB
            children = [task.read_text(encoding="ascii") for task in Path(f"/proc/{current}/task").glob("*/children")]
        except (OSError, IndexError):
            continue  # It ended between two looks.
        pending += [int(child) for text in children for child in text.split()]
    return total


def _progress(line: bytes) -> dict[str, Any] | None:
    if not line.startswith(b'{"progress"'):
        return None
    try:
        progress: dict[str, Any] = json.loads(line)["progress"]
    except (ValueError, KeyError):
        return None
    return progress


def _die_with_parent(parent: int) -> Any:
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        # Linux ends the step when its runner dies, however it dies: no step writes on without somebody to record it.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return ask
