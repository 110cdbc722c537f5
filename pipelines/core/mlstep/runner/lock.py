"""One run of a pipeline at a time: a lock that is freed with its holder, however it ends, and says who that is."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlstep.canonical import dumps
from mlstep.errors import UnavailableError

LOCK_FILE = ".lock"
_TRIES = 40
_PAUSE_SECONDS = 0.025


@contextmanager
def hold(folder: Path, who: dict[str, Any]) -> Iterator[None]:
    """Hold a pipeline's lock; `who` (run, pid, author, since) is what others are told.

    Raises:
        UnavailableError: another run holds it; says which, whose, since when.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(folder, handle)
        os.ftruncate(handle, 0)
        os.pwrite(handle, dumps(who).encode(), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def holder(folder: Path) -> dict[str, Any] | None:
    """Who holds a pipeline's lock now; None when nobody does."""
    try:
        handle = os.open(folder / LOCK_FILE, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(handle)
    else:
        return None
    finally:
        os.close(handle)


def busy(folder: Path, who: dict[str, Any]) -> UnavailableError:
    """The error that names the holder."""
    run, author, since, process = (who.get(key, "?") for key in ("run", "author", "since", "pid"))
    named = f"run {run} by {author} since {since} (process {process})"
    return UnavailableError(
        f"pipeline {folder.name} is busy: {named}", "wait for it, or stop that process; it can be resumed"
    )


def _acquire(folder: Path, handle: int) -> None:
    for _ in range(_TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = _read(handle)
            if who and _exists(int(who.get("pid", 0))):
                raise busy(folder, who) from None
            time.sleep(_PAUSE_SECONDS)  # Somebody is only looking who holds it, or has just taken it.
        else:
            return
    raise busy(folder, _read(handle))


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process > 0


def _read(handle: int) -> dict[str, Any]:
    text = os.pread(handle, 10_000, 0).decode()
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:
        return {}  # Its holder has the lock and has not said who it is yet.
    return found
