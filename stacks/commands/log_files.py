"""Log files of a platform on one machine: find, list, show the end, follow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stacks.commands.failure import Failure
from stacks.commands.ui import table
from stacks.problems import did_you_mean
from stacks.record import Record

POLL_SECONDS = 0.3
TAIL_BYTES_PER_LINE = 400


def listing(record: Record) -> list[dict[str, Any]]:
    """Return every log with size and time of the last line; rotated ones are left out."""
    folder = record.root / "logs"
    found = []
    for path in sorted(folder.glob("*.log")):
        state = path.stat()
        found.append({"process": path.stem, "path": str(path), "bytes": state.st_size, "changed": state.st_mtime})
    if not found:
        raise Failure(f"{record.stack_name} has no logs", f"{folder} holds none", f"strata up {record.stack_name}")
    return found


def listing_lines(found: list[dict[str, Any]]) -> list[str]:
    """Return the listing as text."""
    now = time.time()
    rows = [
        (str(e["process"]), f"{e['bytes'] / 1024:.0f} KiB", _age(now - e["changed"]), str(e["path"])) for e in found
    ]
    return table(rows)


def find(record: Record, process: str) -> Path:
    """Return the log of a process.

    Raises:
        Failure: there is none; names those there are.
    """
    known = [str(entry["process"]) for entry in listing(record)]
    if process not in known:
        near = did_you_mean(process, known)
        remedy = f"did you mean {near}?" if near else f"logs: {', '.join(known)}"
        raise Failure(f"no log of {process}", f"{record.root / 'logs'} has none", remedy, exit_code=2)
    return record.root / "logs" / f"{process}.log"


def tail(path: Path, lines: int) -> list[str]:
    """Return the last lines of a file without reading all of it."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        wanted = lines * TAIL_BYTES_PER_LINE
        while True:
            start = max(0, size - wanted)
            stream.seek(start)
            content = stream.read(size - start)
            if start == 0 or content.count(b"\n") > lines:
                return content.decode("utf-8", errors="replace").splitlines()[-lines:]
            wanted *= 2


def follow(path: Path) -> Iterator[str]:
    """Yield lines as they are added; a rotated file is opened anew."""
    stream = path.open(encoding="utf-8", errors="replace")
    stream.seek(0, 2)
    inode = path.stat().st_ino
    rest = ""
    while True:
        added = stream.read()
        if added:
            *complete, rest = (rest + added).split("\n")
            yield from complete
            continue
        time.sleep(POLL_SECONDS)
        if path.exists() and (path.stat().st_ino != inode or path.stat().st_size < stream.tell()):
            stream.close()
            stream = path.open(encoding="utf-8", errors="replace")
            inode, rest = path.stat().st_ino, ""


def _age(seconds: float) -> str:
    if seconds < 90:
        return f"{max(0, int(seconds))} s ago"
    if seconds < 5400:
        return f"{int(seconds // 60)} min ago"
    return f"{int(seconds // 3600)} h ago"
