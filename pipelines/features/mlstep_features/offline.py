"""The offline store: one Parquet file a feature view, made of a verified snapshot."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlstep.canonical import digest_file, pretty, read_json, write_atomic
from mlstep.errors import ConfigError
from mlstep_features.datasets import DataSet, Snapshot

if TYPE_CHECKING:
    import polars as pl


def parquet(root: Path, view: str) -> Path:
    """Where a feature view's rows are."""
    return root / "features" / "offline" / f"{view}.parquet"


def origin(root: Path, view: str) -> dict[str, Any] | None:
    """From which snapshot the rows were made, and their columns; None before the first time."""
    path = parquet(root, view).with_suffix(".json")
    return read_json(path) if path.is_file() and parquet(root, view).is_file() else None


def build(root: Path, data_set: DataSet, snapshot: Snapshot) -> dict[str, Any]:
    """Write a view's Parquet file, unless it is there from the same snapshot; return its origin.

    Raises:
        ConfigError: the snapshot lacks a column of the contract, or has one of a type Feast cannot hold.
    """
    known = origin(root, data_set.view)
    if known is not None and known["snapshot"] == snapshot.digest and known["contract"] == data_set.contract_digest:
        return known
    import polars as pl

    frame = pl.scan_parquet(snapshot.path)
    columns = _columns(data_set, frame.collect_schema())
    typed = frame.select([pl.col(name).cast(_storage(kind)) for name, kind in columns.items()])
    rows = typed.drop_nulls([*data_set.keys, str(data_set.time)])
    target = parquet(root, data_set.view)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(f".{os.getpid()}.tmp")
    try:
        rows.collect().write_parquet(temporary)
        kept = pl.scan_parquet(temporary).select(pl.len()).collect().item()
        digest = digest_file(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    content = {
        "view": data_set.view,
        "snapshot": snapshot.digest,
        "contract": data_set.contract_digest,
        "pipeline": snapshot.pipeline,
        "run": snapshot.run,
        "rows": kept,
        "rows_without_key_or_time": snapshot.rows - kept,
        "columns": columns,
        "digest": digest,
    }
    write_atomic(target.with_suffix(".json"), pretty(content))
    return content


def newest(root: Path, data_set: DataSet, entities: int | None) -> "pl.DataFrame":
    """The last row of each entity, newest entities first, at most `entities` of them (None: all)."""
    import polars as pl

    keys = list(data_set.keys)
    rows = pl.scan_parquet(parquet(root, data_set.view)).sort([str(data_set.time), *keys], maintain_order=True)
    last = rows.unique(subset=keys, keep="last", maintain_order=True).reverse()
    return (last if entities is None else last.head(entities)).collect()


def _columns(data_set: DataSet, schema: Any) -> dict[str, str]:
    wanted = [*data_set.keys, str(data_set.time), *data_set.features]
    missing = [name for name in wanted if name not in schema]
    kinds = {name: "time" if name == data_set.time else _kind(schema[name]) for name in wanted if name in schema}
    unknown = [f"{name} ({schema[name]})" for name, kind in kinds.items() if kind == ""]
    if missing or unknown:
        problems = [f"missing columns {', '.join(missing)}"] * bool(missing) + [
            f"columns {', '.join(unknown)} are of no type Feast holds"
        ] * bool(unknown)
        raise ConfigError(
            f"data set {data_set.name}: " + "; ".join(problems),
            "name the column's role `ignored` in the contract, or change its type",
        )
    return kinds


def _kind(dtype: Any) -> str:
    """One of integer, number, boolean, text, time, or nothing."""
    import polars as pl

    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    if dtype.is_temporal():
        return "time" if dtype.base_type() in (pl.Date, pl.Datetime) else ""
    if dtype == pl.Boolean:
        return "boolean"
    return "text" if dtype.base_type() in (pl.String, pl.Categorical, pl.Enum) else ""


def _storage(kind: str) -> Any:
    import polars as pl

    table = {
        "integer": pl.Int64,
        "number": pl.Float64,
        "boolean": pl.Boolean,
        "text": pl.String,
        "time": pl.Datetime("us", "UTC"),
    }
    return table[kind]
