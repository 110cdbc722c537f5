"""A batch gets the answers that the service would give, and its records are kept."""

import json
from pathlib import Path

import polars as pl
import pytest

from mlstep import cli, predictions
from mlstep.platform import Platform
from mlstep_serve import parts
from tests.unit.serve.kit import GOOD, MODEL

ROWS = [
    GOOD,
    {**GOOD, "income": 10_000.0, "employed": None},
    {**GOOD, "income": None},
    {**GOOD, "income": -5.0},
    {**GOOD, "home": "castle"},
    {**GOOD, "age": 200.5},
]


def test_batch_and_service_agree(running: parts.Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same rows give the same scores, decisions and reasons, in Parquet and in CSV."""
    assert running.service is not None
    expected = running.service.answer(MODEL, json.dumps({"rows": ROWS}).encode())["predictions"]
    frame = pl.DataFrame(ROWS).with_columns(pl.lit("kept").alias("note"))
    frame.write_parquet(tmp_path / "in.parquet")
    frame.write_csv(tmp_path / "in.csv")
    for suffix in ("parquet", "csv"):
        paths = ["--in", str(tmp_path / f"in.{suffix}"), "--out", str(tmp_path / f"out.{suffix}")]
        assert cli.main(["score", "--root", str(running.root), *paths]) == 0
        out = pl.read_parquet(tmp_path / "out.parquet") if suffix == "parquet" else pl.read_csv(tmp_path / "out.csv")
        for column in ("score", "decision", "fallback", "fallback_reason"):
            assert out[column].to_list() == [answer[column] for answer in expected], (suffix, column)
        assert out["note"].to_list() == ["kept"] * len(ROWS)
    assert "6 rows answered by credit v1, 4 with the fallback" in capsys.readouterr().out
    kept = predictions.scan(running.root, MODEL)
    assert kept["source"].value_counts(sort=True).rows() == [("batch", 12), ("api", 6)]
    record = predictions.find(running.root, out["request_id"][0])
    assert record is not None
    assert record["features"] == {"age": 40.0, "employed": True, "home": "own", "income": 40_000.0}
    assert "note" not in record["features"]


def test_a_text_in_a_csv_column_spoils_one_row(promoted: Platform, tmp_path: Path) -> None:
    """One wrong value makes a CSV column text; the other rows are scored all the same."""
    (tmp_path / "in.csv").write_text(
        "income,age,home,employed\n40000,40,own,true\nmany,40,own,true\n", encoding="utf-8"
    )
    out = tmp_path / "out.csv"
    assert cli.main(["score", "--root", str(promoted.root), "--in", str(tmp_path / "in.csv"), "--out", str(out)]) == 0
    answers = pl.read_csv(out)
    assert answers["fallback"].to_list() == [False, True]
    assert answers["fallback_reason"][1] == "income: text, expected a number"


def test_without_a_champion_every_row_goes_to_a_person(facts: Platform, tmp_path: Path) -> None:
    """No champion: the fallback of the platform."""
    pl.DataFrame(ROWS).write_parquet(tmp_path / "in.parquet")
    out = tmp_path / "out.parquet"
    assert cli.main(["score", "--root", str(facts.root), "--in", str(tmp_path / "in.parquet"), "--out", str(out)]) == 0
    assert pl.read_parquet(out)["decision"].unique().to_list() == ["refer"]


@pytest.mark.parametrize(
    ("name", "content"), [("rows.txt", "x"), ("rows.parquet", "no parquet"), ("missing.csv", None)]
)
def test_a_wrong_file_is_refused(
    promoted: Platform, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None
) -> None:
    """Not CSV, not Parquet, or not there: one message with the file's name, and no output."""
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    arguments = ["--in", str(tmp_path / name), "--out", str(tmp_path / "out.csv")]
    assert cli.main(["score", "--root", str(promoted.root), *arguments]) == 2
    assert name in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()
