"""Append-only JSON lines below `<root>/alerts/`: what was heard, what was decided."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from mlstep.canonical import dumps

ALERTS = "alerts.jsonl"
RETRAINING = "retraining.jsonl"


def folder(root: Path) -> Path:
    """Where alerts, mails and decisions are."""
    return root / "alerts"


def append(root: Path, name: str, entry: dict[str, Any]) -> None:
    """Append one entry in one write and bring it to the disk.

    Raises:
        OSError: it could not be written; no part of it stays.
    """
    folder(root).mkdir(parents=True, exist_ok=True)
    data = (dumps(entry) + "\n").encode()
    handle = os.open(folder(root) / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        size = os.fstat(handle).st_size
        try:
            if os.write(handle, data) != len(data):
                raise OSError(28, "No space left on device", name)
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)


def read(root: Path, name: str) -> list[dict[str, Any]]:
    """Every whole entry, oldest first."""
    file = folder(root) / name
    if not file.is_file():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1] if line]
