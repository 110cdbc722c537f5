"""Follow the champion's write-ahead files as they grow."""

import json
import os
from pathlib import Path
from typing import IO, Any

from mlstep import predictions


class Tail:
    """Yields each new record once.

    Files are held open, so what was appended before a file was compacted away is still read.
    """

    def __init__(self, root: Path, role: str) -> None:
        self._root, self._role = root, role
        self._open: dict[Path, IO[bytes]] = {}
        self._rest: dict[Path, bytes] = {}

    def skip(self) -> None:
        """Leave out what there is so far."""
        self.read()

    def read(self) -> list[dict[str, Any]]:
        """Records appended since the last call."""
        for file in sorted(predictions.wal_folder(self._root).glob(f"{self._role}-*.jsonl")):
            if file not in self._open:
                try:
                    self._open[file] = file.open("rb")
                except FileNotFoundError:
                    continue  # Compacted between the listing and the opening.
        records: list[dict[str, Any]] = []
        for file in sorted(self._open):
            records.extend(self._read_file(file))
        return records

    def close(self) -> None:
        """Close all files."""
        for stream in self._open.values():
            stream.close()
        self._open.clear()

    def _read_file(self, file: Path) -> list[dict[str, Any]]:
        stream = self._open[file]
        gone = os.fstat(stream.fileno()).st_nlink == 0  # Asked before reading: nothing is appended after it.
        *lines, rest = (self._rest.pop(file, b"") + stream.read()).split(b"\n")
        if gone:
            stream.close()
            del self._open[file]
        elif rest:
            self._rest[file] = rest
        return [record for record in map(_parse, lines) if record is not None]


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(line)
    except ValueError:
        return None  # Kept in quarantine by whoever compacts the file.
    return record
