"""Outcomes: checked, kept, sorted by model, joined; the last word about a request counts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlstep import cli, truths
from mlstep.errors import ConfigError
from mlstep.platform import Platform
from tests.unit.monitoring.conftest import START
from tests.unit.serve.kit import MODEL

OBSERVED = "2100-04-01T00:00:00+00:00"


def test_outcomes_are_joined_and_corrected(facts: Platform, answer: Callable[..., Any]) -> None:
    """Texts, numbers and truth values become labels; a correction replaces the first word and keeps its place."""
    names = answer(6, START)["request_id"].to_list()
    outcomes: list[Any] = [1, "1", True, 0, "0", 1.0]
    records = [{"request_id": n, "outcome": o, "observed_at": OBSERVED} for n, o in zip(names, outcomes, strict=True)]
    assert truths.take(facts.root, records) == 6
    assert truths.sort_inbox(facts.root) == {MODEL: 6}
    truths.take(facts.root, [{"request_id": names[0], "outcome": 0, "observed_at": OBSERVED}])
    truths.sort_inbox(facts.root)
    joined = truths.truth_joined(facts.root, MODEL)
    assert dict(joined.select("request_id", "label").iter_rows()) == dict(zip(names, [0, 1, 1, 0, 0, 1], strict=True))


def test_outcomes_of_no_answer_are_kept_apart(facts: Platform, answer: Callable[..., Any]) -> None:
    """An identifier that was never answered is counted, kept and not joined."""
    answer(1, START)
    truths.take(facts.root, [{"request_id": "nobody", "outcome": 1, "observed_at": OBSERVED}])
    assert truths.sort_inbox(facts.root) == {"unknown": 1}
    assert truths.truth_joined(facts.root, MODEL).height == 0
    assert len(list((facts.root / "truth" / "unknown").iterdir())) == 1


def test_a_wrong_record_refuses_all(facts: Platform) -> None:
    """Every problem in one message, nothing kept."""
    wrong = [
        {"request_id": "a", "outcome": 1, "observed_at": OBSERVED},
        {"request_id": "", "outcome": None, "observed_at": "yesterday"},
        {"request_id": "b", "outcome": 1, "observed_at": "2026-01-01T00:00:00", "name": "x"},
        3,
    ]
    with pytest.raises(ConfigError) as caught:
        truths.take(facts.root, wrong)
    for part in (
        "record 1: request_id: missing",
        "record 1: outcome",
        "observed_at: 'yesterday'",
        "has no time zone",
        "name: not known",
        "record 3: a int",
    ):
        assert part in str(caught.value)
    assert not (facts.root / "truth").exists()


def test_outcomes_from_a_file(
    facts: Platform, answer: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`mlstep truth` takes CSV and Parquet, groups included, and names missing columns."""
    names = answer(2, START)["request_id"]
    rows = pl.DataFrame(
        {"request_id": names, "outcome": [0, 1], "observed_at": [OBSERVED] * 2, "groups.region": ["n", "s"]}
    )
    rows.write_csv(tmp_path / "truth.csv")
    assert cli.main(["truth", "--root", str(facts.root), str(tmp_path / "truth.csv")]) == 0
    assert "2 outcomes taken; credit: 2" in capsys.readouterr().out
    assert truths.read(facts.root, MODEL)["groups.region"].to_list() == ["n", "s"]
    rows.drop("outcome").write_parquet(tmp_path / "truth.parquet")
    assert cli.main(["truth", "--root", str(facts.root), str(tmp_path / "truth.parquet")]) == 2
    assert "columns missing: outcome" in capsys.readouterr().err
