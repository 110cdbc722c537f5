"""A proposed contract is valid, fits the rows it came from, and says what a person must check."""

from pathlib import Path

import polars as pl
import pytest

from mlstep.canonical import now
from mlstep.cli import main
from mlstep.contracts import read_contract
from mlstep.contracts.propose import propose
from mlstep.data.read import read_source
from mlstep.data.synthetic import generate
from mlstep.errors import ConfigError
from mlstep.steps.validate import check_rows


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_proposal_fits_its_rows(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The rows pass every check of the contract proposed from them; roles are found."""
    file = tmp_path / f"rows.{kind}"
    frame = generate(2_000, 3)
    _ = frame.write_csv(file) if kind == "csv" else frame.write_parquet(file)
    assert main(["new-contract", str(file), "--target", "defaulted", "--model", "My Model"]) == 0
    contract = read_contract(tmp_path / "rows.odcs.yaml")
    assert contract.model == "my-model"
    assert contract.entity is not None
    assert contract.time is not None
    assert (contract.entity.name, contract.time.name) == ("application_id", "applied_at")
    assert (contract.target.name, contract.target.positive) == ("defaulted", True)
    assert contract.column("purpose").values is not None
    assert "entity   application_id" in capsys.readouterr().out
    rows = read_source(str(file), contract, "utf-8", now()).frame
    assert [entry["id"] for entry in check_rows(rows.lazy(), contract, rows.height) if not entry["passed"]] == []


def test_the_same_rows_give_the_same_text() -> None:
    """A proposal depends on nothing but the rows and the options."""
    frame = generate(500, 3)
    assert propose(frame, Path("a.csv"), "defaulted", None, None) == propose(
        frame, Path("a.csv"), "defaulted", None, None
    )


def test_what_a_person_must_decide_is_written_beside_the_column() -> None:
    """Fairness candidates, personal data, free text and a guessed positive value are comments."""
    frame = generate(500, 3, pii=0.1).with_columns(
        pl.when(pl.col("defaulted")).then(pl.lit("weg")).otherwise(pl.lit("da")).alias("fate")
    )
    text = propose(frame.drop("defaulted"), Path("a.csv"), "fate", None, None)
    for told in (
        "candidate for fairness",
        "personal data: e-mail",
        "are no category",
        "weg is the rarer value",
        '"weg"}',
    ):
        assert told in text


def test_wrong_calls_say_what_there_is(tmp_path: Path) -> None:
    """No target, an unknown one, one with many values, an unknown positive value."""
    frame = generate(300, 3)
    with pytest.raises(ConfigError, match="columns: application_id, applied_at"):
        propose(frame, Path("a.csv"), "default", None, None)
    with pytest.raises(ConfigError, match="region has 5 values"):
        propose(frame, Path("a.csv"), "region", None, None)
    with pytest.raises(ConfigError, match="not a value of defaulted"):
        propose(frame, Path("a.csv"), "defaulted", "perhaps", None)


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An existing contract is kept, and without a target nothing is written."""
    file = tmp_path / "rows.parquet"
    generate(300, 3).write_parquet(file)
    contract = tmp_path / "rows.odcs.yaml"
    assert main(["new-contract", str(file)]) == 2
    assert not contract.exists()
    assert "name one of: application_id" in capsys.readouterr().err
    contract.write_text("mine", encoding="utf-8")
    assert main(["new-contract", str(file), "--target", "defaulted"]) == 2
    assert contract.read_text(encoding="utf-8") == "mine"


def test_a_table_without_time_or_entity_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The user is told that rows can then only be split at random, and how to ask for it."""
    file = tmp_path / "rows.csv"
    generate(300, 3).select("income", "purpose", "defaulted").write_csv(file)
    assert main(["new-contract", str(file), "--target", "defaulted"]) == 0
    assert "split_by=random" in capsys.readouterr().out
