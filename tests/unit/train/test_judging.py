"""The steps evaluate, explain and plausibility."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from mlstep.canonical import pretty, read_json
from mlstep.errors import ConfigError, IntegrityError
from mlstep.manifest import Origin, write_manifest
from mlstep.model import Model
from tests.unit.train import making
from tests.unit.train.conftest import Trained

FAST = {"replicates": 100, "latency_rows": 5}


def judged(trained: Trained, folder: Path, step: str, **config: Any) -> Any:
    """Run a judging step on the trained model."""
    parts, common = trained.parts, {"model": trained.model, "test": trained.parts["test"]}
    wanted = {"evaluate": {"train": parts["train"]}, "explain": {}, "plausibility": {"contract": trained.contract}}
    return making.run(folder, step, {**common, **wanted[step], **config.pop("more", {})}, config)


def changed_model(trained: Trained, folder: Path, **changes: Any) -> Trained:
    """The same model with another description, and a manifest that fits it."""
    target = folder / "train" / "model"
    shutil.copytree(trained.model, target)
    content = read_json(target / "model.json")
    (target / "model.json").write_text(pretty({**content, **changes}), encoding="utf-8")
    moment = "2026-01-01T00:00:00.000Z"
    write_manifest(target, "model", Origin("train", "run", {}, "0", moment, moment), None, None)
    return replace(trained, folder=folder)


def test_evaluate_reports_the_auc_of_its_scores(trained: Trained, tmp_path: Path) -> None:
    """The AUC in the report is that of the scores it wrote, and lies in its interval."""
    judged(trained, tmp_path, "evaluate", **FAST)
    report = making.report(tmp_path, "evaluate")
    scores = pl.read_parquet(tmp_path / "evaluate" / "scores" / "scores.parquet")
    assert scores.columns == ["row", "label", "score", "favourable", "site"]
    assert report["auc"]["value"] == pytest.approx(roc_auc_score(scores["label"], scores["score"]))
    assert report["auc"]["low"] < report["auc"]["value"] < report["auc"]["high"]
    assert report["rows"] == scores.height == 300
    assert report["fit"]["verdict"] in {"good", "over-fitted", "under-fitted", "unstable"}
    favourable = scores.filter(pl.col("favourable"))["score"]
    assert favourable.max() < report["threshold"]["threshold"]


def test_champion_is_compared_on_the_same_rows(trained: Trained, tmp_path: Path) -> None:
    """Against itself a model is exactly as good: the paired interval is a point."""
    judged(trained, tmp_path, "evaluate", **FAST, more={"champion": trained.model})
    report = making.report(tmp_path, "evaluate")
    assert report["paired_auc_delta"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert report["champion"]["comparable"] is True


def test_champion_of_other_columns_is_not_comparable(trained: Trained, tmp_path: Path) -> None:
    """A champion that needs columns that are not there leaves no delta, and the reason."""
    features = read_json(trained.model / "model.json")["features"]
    features[0]["name"] = "warmth"
    champion = changed_model(trained, tmp_path / "champion", features=features)
    result = judged(trained, tmp_path, "evaluate", **FAST, more={"champion": champion.model})
    report = making.report(tmp_path, "evaluate")
    assert "paired_auc_delta" not in report
    assert "warmth" in report["champion"]["reason"]
    assert result.decision == "warn"


def test_overfitted_model_is_called_so(trained: Trained, tmp_path: Path) -> None:
    """A model judged on rows whose outcomes were shuffled ranks no better than chance, and fails."""
    rows = pl.read_parquet(trained.parts["test"] / "data.parquet")
    mixed = rows.with_columns(rows["outcome"].sample(fraction=1.0, shuffle=True, seed=1))
    other = replace(trained, parts={**trained.parts, "test": making.output(tmp_path, "mixed", mixed)})
    assert judged(other, tmp_path, "evaluate", **FAST).decision == "fail"
    report = making.report(tmp_path, "evaluate")
    assert report["fit"]["verdict"] == "over-fitted"
    assert "no better than chance" in report["reasons"][0]


def test_changed_bytes_of_a_model_are_not_judged(trained: Trained, tmp_path: Path) -> None:
    """A model whose bytes do not match its manifest is refused before it is loaded."""
    copy = tmp_path / "train" / "model"
    shutil.copytree(trained.model, copy)
    (copy / "profile.json").write_text("{}", encoding="utf-8")
    with pytest.raises(IntegrityError, match=r"profile\.json: bytes differ"):
        judged(replace(trained, folder=tmp_path), tmp_path, "evaluate")


def test_importance_finds_what_matters(trained: Trained, tmp_path: Path) -> None:
    """Heat, which pumps fail of, comes first; running hours, which mean nothing, bring almost no AUC."""
    judged(trained, tmp_path, "explain", repeats=3)
    features = making.report(tmp_path, "explain")["features"]
    assert [entry["rank"] for entry in features] == [1, 2, 3, 4]
    assert features[0]["feature"] == "heat"
    assert next(entry for entry in features if entry["feature"] == "hours")["auc_loss"] < 0.05
    assert sum(entry["share"] for entry in features) == pytest.approx(1)


def test_rank_before_comes_from_an_earlier_report(trained: Trained, tmp_path: Path) -> None:
    """With an earlier report each feature says where it stood before."""
    judged(trained, tmp_path / "one", "explain", repeats=1)
    more = {"previous": tmp_path / "one" / "explain" / "report"}
    judged(trained, tmp_path / "two", "explain", repeats=1, more=more)
    assert all(
        entry["rank_before"] == entry["rank"] for entry in making.report(tmp_path / "two", "explain")["features"]
    )


def test_sound_model_is_plausible(trained: Trained, tmp_path: Path) -> None:
    """Every check holds for a model as it was trained."""
    assert judged(trained, tmp_path, "plausibility").decision == "pass"
    checks = making.report(tmp_path, "plausibility")["checks"]
    assert {"scores.finite", "scores.direction", "inputs.probes", "schema.features"} <= {
        check["id"] for check in checks
    }


@pytest.mark.parametrize(
    ("scores", "check"),
    [
        (lambda scores: 1 - scores, "scores.direction"),
        (lambda scores: scores * 0 + 0.5, "scores.varied"),
        (lambda scores: scores + 1, "scores.range"),
        (lambda scores: np.where(scores < np.median(scores), np.nan, scores), "scores.finite"),
    ],
)
def test_implausible_scores_fail(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores: Any, check: str
) -> None:
    """Inverted, constant, out-of-range and missing scores are each found by their check."""
    real = Model.predict_matrix
    monkeypatch.setattr(Model, "predict_matrix", lambda self, matrix: scores(real(self, matrix)))
    result = judged(trained, tmp_path, "plausibility")
    assert result.decision == "fail"
    assert any(reason.startswith(check) for reason in result.reasons)


def test_model_of_another_contract_fails(trained: Trained, tmp_path: Path) -> None:
    """A model that reads a column which the contract excludes is found."""
    roles = [{"property": "strata.role", "value": "group"}]
    other = replace(trained, contract=making.contract(tmp_path, maker={"customProperties": roles}))
    result = judged(other, tmp_path, "plausibility")
    assert result.decision == "fail"
    assert "schema.roles: features that the contract excludes: maker, expected none" in result.reasons
    assert json.dumps(result.reasons).count("schema.contract") == 1


def test_too_few_outcomes_are_said(trained: Trained, tmp_path: Path) -> None:
    """Ten test rows judge nothing."""
    rows = pl.read_parquet(trained.parts["test"] / "data.parquet").head(10)
    few = replace(trained, parts={**trained.parts, "test": making.output(tmp_path, "few", rows)})
    with pytest.raises(ConfigError, match="20 of each are needed"):
        judged(few, tmp_path, "evaluate")
