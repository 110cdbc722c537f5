"""One process at a time: a lock that the operating system releases however its holder ends."""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ASK_SECONDS = 0.2


class Busy(RuntimeError):
    """Somebody else holds the lock and did not let go in time."""


@contextmanager
def exclusive(path: Path, what: str, wait_seconds: float = 1800) -> Iterator[None]:
    """Hold the lock file `path` while the body runs; the second one waits and says so once.

    Raises:
        Busy: the lock was not free within `wait_seconds`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, path, what, wait_seconds)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, what: str, wait_seconds: float) -> None:
    until = time.monotonic() + wait_seconds
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode() or "unknown"
            if time.monotonic() >= until:
                raise Busy(f"{what}: process {holder} still holds {path} after {wait_seconds:.0f} s") from None
            if not told:
                print(
                    f" … {what}: waiting for process {holder}, which is at the same work", file=sys.stderr, flush=True
                )
                told = True
            time.sleep(_ASK_SECONDS)
        else:
            return
