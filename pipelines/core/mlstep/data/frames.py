"""Rows on disk: one `data.parquet` per output folder, read and written the same way by every step."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

FILE = "data.parquet"


def read_rows(folder: Path) -> "pl.DataFrame":
    """All rows of a data output."""
    import polars as pl

    return pl.read_parquet(folder / FILE)


def scan_rows(folder: Path) -> "pl.LazyFrame":
    """The rows of a data output, read when they are needed."""
    import polars as pl

    return pl.scan_parquet(folder / FILE)


def write_rows(frame: "pl.DataFrame", folder: Path) -> None:
    """Write rows as Parquet; the step's framework gives the folder its final name once everything is written."""
    folder.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(folder / FILE, compression="zstd", statistics=True)


def schema_of(frame: "pl.DataFrame") -> list[dict[str, str]]:
    """Columns and physical types, for the manifest."""
    return [{"name": name, "type": str(dtype)} for name, dtype in frame.schema.items()]


def mask(value: object) -> str:
    """A value of which only the first two characters and the length can be seen."""
    text = str(value)
    return f"{text[:2]}***({len(text)} characters)" if len(text) > 2 else "***"
