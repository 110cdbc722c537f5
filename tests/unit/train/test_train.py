"""The step train, on rows that have nothing to do with credit."""

import json
from pathlib import Path

import polars as pl
import pytest

from mlstep.canonical import digest_tree
from mlstep.errors import ConfigError
from mlstep.model import load_description
from tests.unit.train import making
from tests.unit.train.conftest import Trained, train


def test_features_are_described_from_contract_and_rows(trained: Trained) -> None:
    """Numbers, categories and booleans are found, groups and identifiers are no features."""
    description = load_description(trained.model)
    assert {feature.name: feature.kind for feature in description.features} == {
        "heat": "number",
        "hours": "number",
        "maker": "category",
        "sealed": "boolean",
    }
    maker = next(feature for feature in description.features if feature.name == "maker")
    assert maker.categories == ("acme", "blum", "corda")
    assert [feature.name for feature in description.features if feature.missing_allowed] == ["heat"]
    assert (description.groups, description.target, description.positive) == (("site",), "outcome", "failed")
    assert description.metrics["validation_auc"] > 0.7


def test_trials_report_tells_what_was_tried(trained: Trained) -> None:
    """Every trial is there with parameters and state, beside the linear yardstick."""
    report = making.report(trained.folder, "train", "trials")
    assert [trial["number"] for trial in report["trials"]] == [1, 2]
    assert {trial["state"] for trial in report["trials"]} <= {"complete", "pruned"}
    assert set(report["fold_aucs"]) == {"gradient_boosted_trees", "logistic_regression"}


def test_progress_is_told_per_trial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each trial prints one line that says how far the step is."""
    train(tmp_path)
    lines = [json.loads(line)["progress"] for line in capsys.readouterr().out.splitlines()]
    assert [(line["done"], line["total"]) for line in lines] == [(1, 2), (2, 2)]


def test_same_input_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two trainings with one seed and one clock give the same digest; another seed gives another."""
    monkeypatch.setenv("STRATA_NOW", "2026-01-01T00:00:00+00:00")
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    digests = [digest_tree(train(tmp_path / name).model) for name in ("one", "two")]
    assert digests[0] == digests[1]
    assert digest_tree(train(tmp_path / "three", seed=8).model) != digests[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hours": {"logicalType": "date"}}, "feature hours is a date"),
        ({"outcome": {"name": "result"}}, "the target result is no column"),
        ({"maker": {"name": "brand"}, "heat": {"name": "warmth"}}, "warmth is no column of the rows; feature brand"),
    ],
)
def test_contract_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, dict[str, str]], message: str
) -> None:
    """A contract about other columns ends with one message that names all of them."""
    parts = making.split(tmp_path, making.pumps(600))
    inputs = {"train": parts["train"], "valid": parts["valid"], "contract": making.contract(tmp_path, **changes)}
    with pytest.raises(ConfigError, match=message):
        making.run(tmp_path, "train", inputs)


def test_one_class_is_refused(tmp_path: Path) -> None:
    """Rows without failures cannot teach what a failure is."""
    frame = making.pumps(300).with_columns(pl.lit("fine").alias("outcome"))
    parts = making.split(tmp_path, frame)
    inputs = {"train": parts["train"], "valid": parts["valid"], "contract": making.contract(tmp_path)}
    with pytest.raises(ConfigError, match="0 rows are outcome = failed"):
        making.run(tmp_path, "train", inputs)


def test_unknown_outcomes_are_left_out(tmp_path: Path) -> None:
    """Rows whose outcome is not known yet do not train."""
    frame = making.pumps(1500).with_columns(
        pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.col("outcome")).alias("outcome")
    )
    parts = making.split(tmp_path, frame)
    inputs = {"train": parts["train"], "valid": parts["valid"], "contract": making.contract(tmp_path)}
    result = making.run(tmp_path, "train", inputs, making.QUICK)
    assert result.metrics["training_rows"] == 450


def test_wrong_configuration_names_every_key(tmp_path: Path) -> None:
    """All wrong values come in one message, before any row is read."""
    parts = making.split(tmp_path, making.pumps(200))
    inputs = {"train": parts["train"], "valid": parts["valid"], "contract": making.contract(tmp_path)}
    with pytest.raises(ConfigError, match=r"trials is 0.*folds is 1.*threshold is 2"):
        making.run(tmp_path, "train", inputs, {"trials": 0, "folds": 1, "threshold": 2.0})
