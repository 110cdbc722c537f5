"""Who holds a stack: lock files of the file backend, which stay behind when their process is killed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Lock:
    """One lock file of a stack."""

    path: Path
    pid: int
    host: str
    user: str
    taken: datetime

    @property
    def is_stale(self) -> bool:
        """Whether the process that took the lock is certainly gone: same host, and no such pulumi process."""
        return self.host == socket.gethostname() and not _is_pulumi(self.pid)

    def sentence(self, now: datetime) -> str:
        """Return who holds the lock and for how long."""
        seconds = max(0, int((now - self.taken).total_seconds()))
        minutes = f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
        return f"{self.user} on {self.host}, process {self.pid}, for {minutes}"


def held(backend_url: str, project: str, stack_name: str) -> list[Lock]:
    """Return the locks of a stack in a file backend, oldest first; other backends have none to see."""
    if not backend_url.startswith("file://"):
        return []
    folder = Path(backend_url.removeprefix("file://")).expanduser() / ".pulumi" / "locks" / "organization" / project
    locks = [lock for path in sorted((folder / stack_name).glob("*.json")) if (lock := _read(path))]
    return sorted(locks, key=lambda lock: lock.taken)


def clear_stale(locks: list[Lock]) -> list[Lock]:
    """Remove the locks of processes that are gone; return those that are really held."""
    alive = []
    for lock in locks:
        if lock.is_stale:
            for path in (lock.path, lock.path.with_name(f"{lock.path.name}.attrs")):
                path.unlink(missing_ok=True)
        else:
            alive.append(lock)
    return alive


def pending_operations(state: Mapping[str, Any]) -> list[str]:
    """Return the resources that were being changed when an earlier operation was killed."""
    pending = state.get("pending_operations") or []
    return [str(entry.get("resource", {}).get("urn", "")).rsplit("::", 1)[-1] for entry in pending]


def _read(path: Path) -> Lock | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        taken = datetime.fromisoformat(_microseconds(str(content["timestamp"])))
        taken = taken if taken.tzinfo else taken.replace(tzinfo=UTC)
        return Lock(path, int(content["pid"]), str(content["hostname"]), str(content["username"]), taken)
    except FileNotFoundError:
        return None  # released between listing and reading
    except (ValueError, KeyError, TypeError):
        # A half-written lock is a lock: its age is that of the file, and its process is not known.
        taken = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        return Lock(path, -1, "an unknown host", "somebody", taken)


def _microseconds(text: str) -> str:
    """Cut Go's nanoseconds to what Python 3.11 reads."""
    import re

    return re.sub(r"(\.\d{6})\d+", r"\1", text)


def _is_pulumi(pid: int) -> bool:
    """Return whether a process lives and is pulumi; a number is used again after some time."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True  # another user's process: not for us to judge
    command = Path(f"/proc/{pid}/cmdline")
    if command.exists():
        return b"pulumi" in command.read_bytes().split(b"\0")[0]
    shown = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "pulumi" in shown.stdout
