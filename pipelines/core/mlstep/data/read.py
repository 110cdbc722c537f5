"""Read a source: CSV, Parquet or generated rows; text is given the contract's types only where nothing is lost."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlstep.canonical import digest_bytes, digest_file
from mlstep.contracts.model import Column, DataContract
from mlstep.data import synthetic
from mlstep.errors import ConfigError
from mlstep.step import local_path

if TYPE_CHECKING:
    import polars as pl

_SEPARATORS = ",;\t|"
_NO_VALUE = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")
_JDK = (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"), ("'T'", "T"))


@dataclass(frozen=True)
class Source:
    """Rows and where they came from; `sha256` is of the file's bytes, or of the full recipe of generated rows."""

    frame: "pl.DataFrame"
    uri: str
    kind: str
    sha256: str


def read_source(uri: str, contract: DataContract, encoding: str, now: datetime) -> Source:
    """Read all rows of a source.

    Args:
        uri: a path to `.parquet`, `.csv`, `.csv.gz`, `.tsv`, or `synthetic:credit?…`.
        now: generated rows whose URI names no start end at this hour.

    Raises:
        ConfigError: no such file, another kind of file, or bytes that are not what the name says.
    """
    if uri.startswith(synthetic.SCHEME):
        end = now.replace(minute=0, second=0, microsecond=0, tzinfo=None)
        recipe = synthetic.parse_uri(uri, start=end - timedelta(days=synthetic.DAYS))
        full = synthetic.to_uri(recipe)
        return Source(synthetic.from_recipe(recipe), full, "synthetic", digest_bytes(full.encode()))
    path = local_path(uri)
    if not path.is_file():
        raise ConfigError(
            f"source {uri}: {'is a folder' if path.is_dir() else 'no such file'}",
            "give the path of a CSV or Parquet file",
        )
    name = path.name.lower()
    if name.endswith(".parquet"):
        return Source(_parquet(path, contract), str(path), "parquet", digest_file(path))
    if name.endswith((".csv", ".csv.gz", ".tsv", ".txt")):
        return Source(_csv(path, contract, encoding), str(path), "csv", digest_file(path))
    raise ConfigError(
        f"source {uri}: {path.suffix or 'no suffix'} is not a kind that can be read", "save it as .csv or .parquet"
    )


def _parquet(path: Path, contract: DataContract) -> "pl.DataFrame":
    import polars as pl

    try:
        frame = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ConfigError(
            f"source {path}: not readable as Parquet: {_first_line(error)}",
            "write the file again; was the copy complete?",
        ) from None
    return frame.with_columns(_naive_utc(name, dtype) for name, dtype in frame.schema.items())


def _naive_utc(name: str, dtype: "pl.DataType") -> "pl.Expr":
    import polars as pl

    value = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        moment = value.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if dtype.time_zone else value
        return moment.cast(pl.Datetime("us"))
    return value.cast(pl.String) if isinstance(dtype, pl.Categorical | pl.Enum) else value


def _csv(path: Path, contract: DataContract, encoding: str) -> "pl.DataFrame":
    import polars as pl

    text = read_text(path, encoding)
    header, separator = _header(path, text)
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ConfigError(
            f"source {path}: columns {', '.join(twice)} are there twice", "give every column its own name"
        )
    try:
        frame = pl.read_csv(
            io.BytesIO(text.encode()),
            separator=separator,
            infer_schema=False,
            null_values="",
        )
    except pl.exceptions.PolarsError as error:
        raise ConfigError(
            f"source {path}: not readable as CSV: {_first_line(error)}",
            f"separator {separator!r}; every line needs {len(header)} fields",
        ) from None
    known = {column.name: column for column in contract.columns}
    decimal_comma = separator == ";"
    return frame.with_columns(typed(frame[name], known[name], decimal_comma) for name in frame.columns if name in known)


def read_text(path: Path, encoding: str) -> str:
    """The text of a CSV file, unpacked if its name ends with `.gz`.

    Raises:
        ConfigError: the bytes are not text in this encoding.
    """
    data = path.read_bytes()
    if path.suffix == ".gz":
        import gzip

        data = gzip.decompress(data)
    if data[:4] == b"PK\x03\x04":
        raise ConfigError(f"source {path}: a spreadsheet or zip file, not CSV", "export it as CSV")
    try:
        return data.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"source {path}: line {line} is not {encoding}", "save it as UTF-8, or name its encoding, such as cp1252"
        ) from None


def _header(path: Path, text: str) -> tuple[list[str], str]:
    first = text.split("\n", 1)[0].rstrip("\r")
    if not first:
        raise ConfigError(f"source {path}: the first line is empty", "the first line names the columns")
    separator = max(_SEPARATORS, key=first.count)
    return next(csv.reader([first], delimiter=separator)), separator


def sniff(path: Path, encoding: str = "utf-8") -> tuple[str, str]:
    """Text and separator of a CSV file."""
    text = read_text(path, encoding)
    return text, _header(path, text)[1]


def typed(values: "pl.Series", column: Column, decimal_comma: bool) -> "pl.Series":
    """Text as the contract's type, when every value converts; else the text as it is, for validation to report."""
    import polars as pl

    if column.type == "string" or values.dtype != pl.String:
        return values
    stripped = values.str.strip_chars()
    cleaned = pl.select(pl.when(~stripped.is_in(list(_NO_VALUE))).then(stripped)).to_series().alias(values.name)
    converted = _convert(cleaned, column, decimal_comma)
    return converted.alias(values.name) if converted.null_count() == cleaned.null_count() else values


def _convert(text: "pl.Series", column: Column, decimal_comma: bool) -> "pl.Series":
    import polars as pl

    if column.type in ("number", "integer"):
        plain = (
            text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
            if decimal_comma and text.str.contains(",").any()
            else text
        )
        if column.type == "integer":
            whole = plain.cast(pl.Int64, strict=False)
            if whole.null_count() == text.null_count():
                return whole
        return plain.cast(pl.Float64, strict=False)
    if column.type == "boolean":
        lower = text.str.to_lowercase()
        return pl.select(
            pl.when(lower.is_in(list(_TRUE))).then(True).when(lower.is_in(list(_FALSE))).then(False)
        ).to_series()
    return _moments(text, column)


def _moments(text: "pl.Series", column: Column) -> "pl.Series":
    import polars as pl

    best = pl.Series(text.name, [None] * len(text), dtype=pl.Datetime("us"))
    for form in _formats(column):
        found = text.str.to_datetime(form, strict=False, time_unit="us")
        if isinstance(found.dtype, pl.Datetime) and found.dtype.time_zone:
            found = found.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        if found.null_count() < best.null_count():
            best = found
    whole_days = column.type == "date" and (best.drop_nulls() == best.drop_nulls().dt.truncate("1d")).all()
    return best.cast(pl.Date) if whole_days else best


def _formats(column: Column) -> list[str]:
    if column.format:
        form = column.format
        for jdk, strftime in _JDK:
            form = form.replace(jdk, strftime)
        return [form]
    return [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f%#z",
        "%Y-%m-%d %H:%M:%S%.f%#z",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d",
    ]


def _first_line(error: Any) -> str:
    return str(error).strip().split("\n", 1)[0]
