"""The write-ahead file of the prediction log: a record is in it before its answer leaves."""

import fcntl
import os
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mlstep import predictions
from mlstep.canonical import dumps
from mlstep.errors import ConfigError
from mlstep.ids import new_id


class Wal:
    """One role's write-ahead files; safe for several threads, one process per role and platform folder.

    A record survives the end of the process as soon as `append` returns, and the end of the machine after the next
    `flush` (every `fsync_seconds` by the writer's thread; 0 flushes with every append).

    Raises:
        ConfigError: another process writes this role's log.
    """

    def __init__(self, root: Path, role: str, started: datetime, fsync_seconds: float = 1.0) -> None:
        self._folder = predictions.wal_folder(root)
        self._role = role
        self._fsync_always = fsync_seconds == 0
        self._lock = threading.Lock()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._size = 0
        self._flushed = 0
        self._opened = started
        self._owner = _own(self._folder / f".{role}.lock")
        self._open(started)

    @property
    def size(self) -> int:
        """Bytes in the open file."""
        return self._size

    @property
    def path(self) -> Path:
        """The open file."""
        return self._path

    def age(self, moment: datetime) -> float:
        """Seconds since the open file was begun."""
        return (moment - self._opened).total_seconds()

    def append(self, records: Sequence[dict[str, Any]]) -> None:
        """Append records in one write.

        Raises:
            OSError: they could not be written as a whole; nothing of them stays in the file.
        """
        data = "".join(dumps(record) + "\n" for record in records).encode()
        with self._lock:
            try:
                self._write(data)
            except OSError:
                os.ftruncate(self._handle, self._size)
                raise
            self._size += len(data)
        if self._fsync_always:
            self.flush()

    def flush(self) -> None:
        """Bring what was appended to the disk."""
        with self._lock:
            if self._flushed < self._size:
                os.fdatasync(self._handle)
                self._flushed = self._size

    def rotate(self, moment: datetime) -> Path | None:
        """Close the file and begin the next; returns the closed one, None if it is empty (then it stays open)."""
        with self._lock:
            if self._size == 0:
                self._opened = moment
                return None
            closed, handle = self._path, self._handle
            self._open(moment)
        os.fsync(handle)
        os.close(handle)
        return closed

    def close(self) -> Path | None:
        """Flush and close the file at the end of the process; returns it, None if it was empty and is removed."""
        with self._lock:
            os.fsync(self._handle)
            os.close(self._handle)
            os.close(self._owner)
            if self._size:
                return self._path
            self._path.unlink(missing_ok=True)
            return None

    def _open(self, moment: datetime) -> None:
        self._path = self._folder / f"{self._role}-{new_id(moment)}.jsonl"
        self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o640)
        self._size = 0
        self._flushed = 0
        self._opened = moment

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]


def _own(lock: Path) -> int:
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ConfigError(
            f"{lock}: another process writes this log", "one service per role and platform folder; stop the other one"
        ) from None
    return handle
