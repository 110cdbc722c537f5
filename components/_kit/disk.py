"""Writes files so that nobody ever sees half of one."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write(path: Path, content: bytes, mode: int) -> bool:
    """Puts the content at the path in one step, with this mode; returns whether anything changed.

    Raises:
        OSError: if the disk refuses; the path then holds what it held before.
    """
    if holds(path, content, mode):
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(draft, mode)
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return True


def holds(path: Path, content: bytes, mode: int) -> bool:
    """Whether the path is a file with exactly this content and mode."""
    try:
        return path.read_bytes() == content and mode_of(path) == mode
    except (FileNotFoundError, NotADirectoryError, PermissionError, IsADirectoryError):
        return False


def mode_of(path: Path) -> int:
    """Permission bits of a path."""
    return path.stat().st_mode & 0o777


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Holds a lock file; waits for other threads and programs that hold it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(path, "a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
