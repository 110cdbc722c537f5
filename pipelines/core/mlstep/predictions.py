"""The prediction log: every answer ever given, read from write-ahead files and Parquet as one.

The service appends one JSON line per answer to `<root>/predictions/wal/<role>-*.jsonl` before the answer leaves.
Later it turns closed files into `<root>/predictions/<model>/<role>/date=YYYY-MM-DD/*.parquet`. A record may be in both
for a moment, so readers keep one per `request_id`. In Parquet a feature is a column `features.<name>`.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlstep.canonical import iso
from mlstep.ids import id_time

if TYPE_CHECKING:
    import polars as pl

FEATURE = "features."
ROLES = ("champion", "challenger")


def folder(root: Path) -> Path:
    """Where the prediction log is."""
    return root / "predictions"


def wal_folder(root: Path) -> Path:
    """Where the write-ahead files are."""
    return folder(root) / "wal"


def schema() -> "dict[str, pl.DataType]":
    """Columns of every record besides its features, with their types."""
    import polars as pl

    return {
        "request_id": pl.String(),
        "time": pl.Datetime("ms", "UTC"),
        "model": pl.String(),
        "version": pl.Int64(),
        "model_digest": pl.String(),
        "role": pl.String(),
        "score": pl.Float64(),
        "decision": pl.String(),
        "fallback": pl.Boolean(),
        "fallback_reason": pl.String(),
        "latency_ms": pl.Float64(),
        "schema": pl.String(),
        "source": pl.String(),
        "invalid": pl.String(),
        "unknown_keys": pl.Int64(),
    }


def models(root: Path) -> list[str]:
    """Models that have answered, sorted; also those whose answers are in write-ahead files only."""
    compacted = {path.parent.name for role in ROLES for path in folder(root).glob(f"*/{role}")}
    return sorted(compacted | {record["model"] for record in read_wal(root)})


def scan(root: Path, model: str, role: str = "champion", since: datetime | None = None) -> "pl.DataFrame":
    """Records of one model and role, one row per request and model version, by time.

    Args:
        since: only records of this time or later; days before it are not opened.

    Returns:
        Columns of `schema()` and one column `features.<name>` per feature.
    """
    import polars as pl

    # First the write-ahead files, then Parquet: a record that moves in between is seen twice, never missed.
    waiting = frame([record for record in read_wal(root, role) if record["model"] == model])
    parts = [
        pl.scan_parquet(file)
        for file in _parquet_files(root, model, role, since.astimezone(UTC).date() if since else None)
    ]
    rows = pl.concat([waiting.lazy(), *parts], how="diagonal_relaxed")
    if since is not None:
        rows = rows.filter(pl.col("time") >= since)
    return rows.unique(["request_id", "model_digest"], keep="any").sort("time", "request_id").collect()


def find(root: Path, request_id: str) -> dict[str, Any] | None:
    """The champion's record of one answer in the shape of the write-ahead line, or None."""
    return find_record(root, request_id, "champion")


def find_record(root: Path, request_id: str, role: str) -> dict[str, Any] | None:
    """One role's record of one request, or None; only the day in the identifier is opened."""
    import polars as pl

    waiting = next((record for record in read_wal(root, role) if record["request_id"] == request_id), None)
    if waiting is not None:
        return waiting
    day = id_time(request_id)
    if day is None:
        return None
    for file in sorted(folder(root).glob(f"*/{role}/date={day.date().isoformat()}/*.parquet")):
        rows = pl.scan_parquet(file).filter(pl.col("request_id") == request_id).collect()
        if rows.height:
            return as_record(rows.row(0, named=True))
    return None


def as_record(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `scan`, as a map, in the shape of the write-ahead line."""
    features = {name.removeprefix(FEATURE): value for name, value in row.items() if name.startswith(FEATURE)}
    record = {name: value for name, value in row.items() if not name.startswith(FEATURE)}
    record["time"] = iso(row["time"])
    record["invalid"] = json.loads(row["invalid"]) if row["invalid"] else {}
    return {**record, "features": features}


def frame(records: "list[dict[str, Any]]") -> "pl.DataFrame":
    """Records as rows: `schema()` and one column per feature that occurs."""
    import polars as pl

    fixed = schema()
    columns: dict[str, Any] = {}
    for name, kind in fixed.items():
        if name == "time":
            moments = [datetime.fromisoformat(record["time"]) for record in records]
            columns[name] = pl.Series(name, moments, dtype=kind)
        elif name == "invalid":
            texts = [_json_or_none(record.get("invalid")) for record in records]
            columns[name] = pl.Series(name, texts, dtype=kind)
        else:
            columns[name] = pl.Series(name, [record.get(name) for record in records], dtype=kind)
    names = sorted({name for record in records for name in record["features"]})
    for name in names:
        columns[FEATURE + name] = feature_series(FEATURE + name, [record["features"].get(name) for record in records])
    return pl.DataFrame(columns)


def feature_series(name: str, values: list[Any]) -> "pl.Series":
    """A feature's values with one type: text if any is text, truth values if all are, else numbers."""
    import polars as pl

    present = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in present):
        return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
    if present and all(isinstance(value, bool) for value in present):
        return pl.Series(name, values, dtype=pl.Boolean)
    return pl.Series(
        name, [None if value is None else float(value) for value in values], dtype=pl.Float64 if present else pl.Null
    )


def read_wal(root: Path, role: str | None = None) -> Iterator[dict[str, Any]]:
    """Records in write-ahead files, oldest file first."""
    for file in sorted(wal_folder(root).glob(f"{role or '*'}-*.jsonl")):
        yield from read_wal_file(file)


def read_wal_file(file: Path, broken: list[bytes] | None = None) -> Iterator[dict[str, Any]]:
    """Records of one write-ahead file; a file that was compacted meanwhile has none.

    A last line without line feed was torn by a crash: its answer never left, so it is no record. Any other line that is
    no record is handed to `broken`, for whoever compacts the file to keep.
    """
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return
    for line in data.split(b"\n")[:-1]:
        try:
            record = json.loads(line)
            record["request_id"], record["time"], record["model"], record["features"]
        except (ValueError, KeyError, TypeError):
            if broken is not None:
                broken.append(line)
            continue
        yield record


def _parquet_files(root: Path, model: str, role: str, first: date | None) -> list[Path]:
    files = sorted((folder(root) / model / role).glob("date=*/*.parquet"))
    if first is None:
        return files
    return [file for file in files if file.parent.name.removeprefix("date=") >= first.isoformat()]


def _json_or_none(value: dict[str, Any] | None) -> str | None:
    return json.dumps(value, sort_keys=True, ensure_ascii=False) if value else None
