"""A source is read once, as it is: types where nothing is lost, clear words where it cannot be read."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from mlstep.contracts import Column, DataContract
from mlstep.data.read import read_source
from mlstep.data.synthetic import generate
from mlstep.errors import ConfigError
from mlstep.manifest import verify_manifest
from mlstep.step import run_step
from mlstep.steps.ingest import Ingest

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
CONTRACT = DataContract(
    "rows", "1", "rows", "0" * 64, "rows",
    (
        Column("id", "string", role="entity"), Column("at", "timestamp", role="time"), Column("amount", "number"),
        Column("count", "integer"), Column("bad", "boolean", role="target"),
    ),
)  # fmt: skip
LINES = ["id,at,amount,count,bad", "a,2026-01-01T10:00:00+01:00,1.5,1,yes", "b,2026-01-02T00:00:00Z,NA,2,no"]


def read(path: Path, encoding: str = "utf-8") -> pl.DataFrame:
    """The rows of a file under the small contract."""
    return read_source(str(path), CONTRACT, encoding, NOW).frame


def write(folder: Path, lines: list[str], name: str = "rows.csv") -> Path:
    """A text file of these lines."""
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_text_gets_the_contract_s_types(tmp_path: Path) -> None:
    """Numbers, whole numbers, yes and no, and moments in any zone as UTC; NA is no value."""
    frame = read(write(tmp_path, LINES))
    assert frame.schema == {
        "id": pl.String,
        "at": pl.Datetime("us"),
        "amount": pl.Float64,
        "count": pl.Int64,
        "bad": pl.Boolean,
    }
    assert frame["at"][0] == datetime(2026, 1, 1, 9)  # noqa: DTZ001 - rows are UTC without saying so
    assert frame["amount"].to_list() == [1.5, None]
    assert frame["bad"].to_list() == [True, False]


def test_nothing_is_lost_when_a_value_does_not_fit(tmp_path: Path) -> None:
    """A column with one unreadable value stays text, for validation to report."""
    frame = read(write(tmp_path, [*LINES, "c,2026-01-03,many,3,no"]))
    assert frame["amount"].to_list() == ["1.5", "NA", "many"]
    assert frame["count"].dtype == pl.Int64


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separators_are_found(tmp_path: Path, separator: str) -> None:
    """Semicolons, tabs and bars; with semicolons a decimal comma is one."""
    lines = [line.replace(",", separator) for line in LINES]
    if separator == ";":
        lines = [line.replace("1.5", "1.234,5") for line in lines]
    assert read(write(tmp_path, lines))["amount"][0] == (1234.5 if separator == ";" else 1.5)


def test_packed_and_marked_files_are_read(tmp_path: Path) -> None:
    """A gzip file, a byte-order mark and a named encoding."""
    text = ("\n".join(LINES) + "\n").replace("a,2026", "å,2026")
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "mark.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    (tmp_path / "old.csv").write_bytes(text.encode("cp1252"))
    for name, encoding in (("rows.csv.gz", "utf-8"), ("mark.csv", "utf-8"), ("old.csv", "cp1252")):
        assert read(tmp_path / name, encoding)["id"][0] == "å"
    with pytest.raises(ConfigError, match="line 2 is not utf-8"):
        read(tmp_path / "old.csv")


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("gone.csv", None, "no such file"),
        ("rows.xlsx", b"PK\x03\x04", "not a kind that can be read"),
        ("sheet.csv", b"PK\x03\x04rest", "spreadsheet or zip"),
        ("empty.csv", b"", "first line is empty"),
        ("twice.csv", b"a,b,a\n1,2,3\n", "columns a are there twice"),
        ("long.csv", b"a,b\n1,2,3\n", "not readable as CSV"),
        ("broken.parquet", b"PAR1", "not readable as Parquet"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, data: bytes | None, told: str) -> None:
    """Missing, foreign and broken files are one clear error each."""
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ConfigError, match=told):
        read(tmp_path / name)


def test_a_snapshot_is_frozen(tmp_path: Path, credit_contract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The output holds the rows, their origin with its digest, and a manifest with rows and schema."""
    monkeypatch.setenv("STRATA_NOW", NOW.isoformat())
    config = {"source": "synthetic:credit?rows=500&seed=3"}
    result = run_step(
        Ingest(), config, {"contract": credit_contract}, {"data": tmp_path / "data"}, tmp_path / "r.json", "r"
    )
    assert (result.decision, result.metrics["rows"]) == ("pass", 500)
    manifest = verify_manifest(tmp_path / "data")
    origin = json.loads((tmp_path / "data" / "source.json").read_text(encoding="utf-8"))
    assert manifest["rows"] == 500
    assert origin["uri"].endswith("start=2024-03-01T12:00:00")
    again = read_source(origin["uri"], CONTRACT, "utf-8", NOW).frame
    assert again.equals(pl.read_parquet(tmp_path / "data" / "data.parquet"))


def test_old_and_empty_sources_fail(tmp_path: Path, credit_contract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows older than agreed, and no rows at all, are a decision `fail` with its reason; the stricter age counts."""
    monkeypatch.setenv("STRATA_NOW", NOW.isoformat())
    file = tmp_path / "rows.parquet"

    def ingest(**config: object) -> list[str]:
        full = {"source": str(file), **config}
        outcome = run_step(
            Ingest(), full, {"contract": credit_contract}, {"data": tmp_path / "d"}, tmp_path / "r.json", "r"
        )
        return outcome.reasons if outcome.decision == "fail" else []

    generate(500, 1, start=datetime(2024, 2, 28)).write_parquet(file)  # noqa: DTZ001 - as in the rows
    assert ingest() == []
    assert "are allowed" in ingest(freshness_hours=1)[0]
    generate(500, 1, start=datetime(2023, 1, 1)).write_parquet(file)  # noqa: DTZ001 - as in the rows
    assert "72 are allowed" in ingest(freshness_hours=9000)[0]
    generate(0, 1).write_parquet(file)
    assert "has no rows" in ingest()[0]
