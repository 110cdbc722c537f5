"""Turn closed write-ahead files into Parquet, merge the small files of past days, drop what is older than retention."""

import io
import logging
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from mlstep import predictions
from mlstep.canonical import now, write_atomic
from mlstep_serve.wal import Wal

_log = logging.getLogger(__name__)
ROTATE_BYTES = 8 << 20
ROTATE_SECONDS = 300.0
MERGE_FILES = 4
_TICK_SECONDS = 0.5
_HOUSEKEEPING_SECONDS = 3600.0


def compact(root: Path, file: Path) -> int:
    """Write one closed write-ahead file as Parquet, then remove it; returns its records.

    The Parquet name follows from the file's, so a crash in between leads to the same files again. Lines that are no
    records are kept in `<root>/predictions/quarantine/`.
    """
    broken: list[bytes] = []
    parts: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    count = 0
    for record in predictions.read_wal_file(file, broken):
        parts.setdefault((record["model"], record["role"], record["time"][:10]), []).append(record)
        count += 1
    for (model, role, day), records in sorted(parts.items()):
        write_parquet(
            predictions.folder(root) / model / role / f"date={day}" / f"{file.stem}.parquet", predictions.frame(records)
        )
    if broken:
        _log.error("%s: %d lines are no records, kept in quarantine", file.name, len(broken))
        write_atomic(predictions.folder(root) / "quarantine" / file.name, b"\n".join(broken) + b"\n", 0o640)
    file.unlink(missing_ok=True)
    return count


def leftovers(root: Path, role: str, in_use: Path) -> list[Path]:
    """Write-ahead files that nobody writes: of earlier processes, or not compacted when it was first tried."""
    return [file for file in sorted(predictions.wal_folder(root).glob(f"{role}-*.jsonl")) if file != in_use]


def merge_days(root: Path, today: date) -> int:
    """Merge the files of each past day into one, where there are more than a few; returns the days merged.

    The merged file is complete before the small ones go; readers keep one record per request in between.
    """
    import polars as pl

    merged = 0
    for folder in sorted(predictions.folder(root).glob("*/*/date=*")):
        files = sorted(folder.glob("*.parquet"))
        if folder.name.removeprefix("date=") >= today.isoformat() or len(files) <= MERGE_FILES:
            continue
        rows = pl.concat([pl.scan_parquet(file) for file in files], how="diagonal_relaxed").unique(
            ["request_id", "model_digest"], keep="any"
        )
        target = folder / f"day-{files[-1].stem}.parquet"
        write_parquet(target, rows.sort("time", "request_id").collect())
        for file in files:
            file.unlink()
        merged += 1
    return merged


def drop_expired(root: Path, today: date, retention_days: int) -> list[Path]:
    """Remove the days that are older than retention; returns what was removed."""
    first = (today - timedelta(days=retention_days)).isoformat()
    removed = [
        folder
        for folder in sorted(predictions.folder(root).glob("*/*/date=*"))
        if folder.name.removeprefix("date=") < first
    ]
    for folder in removed:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    return removed


def write_parquet(path: Path, rows: Any) -> None:
    """Write rows as one Parquet file, atomically.

    Raises:
        OSError: the disk is full or the folder cannot be written; there is no half file.
    """
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    write_atomic(path, buffer.getvalue(), 0o640)


class Compactor:
    """The background thread of a write-ahead file: flush, rotate, compact, keep house."""

    def __init__(
        self,
        root: Path,
        role: str,
        wal: Wal,
        retention_days: int,
        fsync_seconds: float,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._root, self._role, self.wal, self._clock = root, role, wal, clock
        self._retention_days = retention_days
        self._fsync_seconds = fsync_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)
        self._kept_house: datetime | None = None
        self._flushed: datetime = clock()

    def start(self) -> None:
        """Begin; files of dead processes are compacted first."""
        self._thread.start()

    def stop(self) -> None:
        """Flush, close and compact the open file, then end."""
        self._stop.set()
        self._thread.join()
        closed = self.wal.close()
        if closed is not None:
            compact(self._root, closed)

    def tick(self) -> None:
        """One round: everything that is due."""
        moment = self._clock()
        if (moment - self._flushed).total_seconds() >= self._fsync_seconds:
            self.wal.flush()
            self._flushed = moment
        if self.wal.size >= ROTATE_BYTES or self.wal.age(moment) >= ROTATE_SECONDS:
            closed = self.wal.rotate(moment)
            if closed is not None:
                compact(self._root, closed)
        if self._kept_house is None or (moment - self._kept_house).total_seconds() >= _HOUSEKEEPING_SECONDS:
            self._kept_house = moment
            self._keep_house(moment.astimezone(UTC).date())

    def _keep_house(self, today: date) -> None:
        for file in leftovers(self._root, self._role, self.wal.path):
            compact(self._root, file)
        if self._role == "champion":  # One process keeps house, so that no two remove the same files.
            merge_days(self._root, today)
            for folder in drop_expired(self._root, today, self._retention_days):
                _log.info("%s: older than %d days, removed", folder, self._retention_days)

    def _run(self) -> None:
        while not self._stop.wait(min(_TICK_SECONDS, self._fsync_seconds or _TICK_SECONDS)):
            try:
                self.tick()
            except Exception:  # noqa: BLE001
                # Answers go on as long as the write-ahead file can be written; what failed is tried again next round.
                _log.exception("prediction log: housekeeping failed")
