"""The step fairness: unfairness of a known size is found, and what cannot be decided is said."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlstep.errors import ConfigError
from mlstep.manifest import Origin, write_manifest
from mlstep.step import StepResult
from tests.unit.train import making


def scores(folder: Path, rates: dict[str, float], sizes: dict[str, int]) -> Path:
    """Scores whose favourable rate per site is exactly the one wanted; a fifth of the rows are positive."""
    parts = []
    for site, size in sizes.items():
        favourable = np.arange(size) < round(rates[site] * size)
        parts.append(pl.DataFrame({"favourable": favourable, "label": np.arange(size) % 5 == 0, "site": [site] * size}))
    frame = pl.concat(parts).with_columns(score=pl.lit(0.5), label=pl.col("label").cast(pl.Int8))
    target = making.output(folder, "scores", frame.select("label"))
    frame.write_parquet(target / "scores.parquet")
    (target / "data.parquet").unlink()
    (target / "manifest.json").unlink()
    made = Origin("evaluate", "run", {}, "0", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    write_manifest(target, "scores", made, frame.height, None)
    return target


def fairness(folder: Path, rates: dict[str, float], sizes: dict[str, int], **config: Any) -> StepResult:
    """Run the step."""
    inputs = {"scores": scores(folder, rates, sizes), "contract": making.contract(folder)}
    return making.run(folder, "fairness", inputs, config)


def test_equal_rates_pass(tmp_path: Path) -> None:
    """Groups with the same rate have a ratio of one and a gap of nothing."""
    result = fairness(tmp_path, {"north": 0.8, "south": 0.8}, {"north": 2000, "south": 2000})
    column = making.report(tmp_path, "fairness")["columns"]["site"]
    assert result.decision == "pass"
    assert column["approval_rate_ratio"]["value"] == pytest.approx(1)
    assert column["opportunity_gap"]["value"] == pytest.approx(0)


def test_unfair_rates_fail_and_name_the_group(tmp_path: Path) -> None:
    """A rate of 0.57 beside 0.80 has a ratio of 0.71; the step fails and says which group, how large, how sure."""
    result = fairness(tmp_path, {"north": 0.8, "south": 0.57}, {"north": 4000, "south": 4210})
    assert result.decision == "fail"
    assert "site: approval-rate ratio 0.71 [0." in result.reasons[0]
    assert "group south, n = 4,210" in result.reasons[0]
    entry = next(
        group for group in making.report(tmp_path, "fairness")["columns"]["site"]["groups"] if group["group"] == "south"
    )
    assert entry["approval_rate"]["value"] == pytest.approx(0.57, abs=1e-3)


def test_uncertain_ratio_near_the_limit_fails(tmp_path: Path) -> None:
    """A ratio above the limit whose lower bound is below it is no proof of fairness."""
    result = fairness(tmp_path, {"north": 0.8, "south": 0.66}, {"north": 400, "south": 300})
    ratio = making.report(tmp_path, "fairness")["columns"]["site"]["approval_rate_ratio"]
    assert ratio["low"] < 0.8 < ratio["value"]
    assert result.decision == "fail"


def test_small_group_is_not_decidable(tmp_path: Path) -> None:
    """Fifty rows are neither fair nor unfair: the step warns, and the group is named."""
    sizes = {"north": 2000, "south": 2000, "west": 50}
    result = fairness(tmp_path, {"north": 0.8, "south": 0.8, "west": 0.1}, sizes)
    report = making.report(tmp_path, "fairness")
    assert result.decision == "warn"
    assert report["undecidable"] == ["site: west"]
    assert "not decidable for west" in result.reasons[0]


def test_one_large_group_decides_nothing(tmp_path: Path) -> None:
    """A ratio needs two groups; with one there is none, and that is no pass."""
    result = fairness(tmp_path, {"north": 0.8, "south": 0.1}, {"north": 2000, "south": 20})
    assert making.report(tmp_path, "fairness")["columns"]["site"]["approval_rate_ratio"] is None
    assert result.decision == "warn"


def test_no_group_column_is_not_called_fair(tmp_path: Path) -> None:
    """A contract without groups gives a warning, not a pass."""
    inputs = {
        "scores": scores(tmp_path, {"north": 0.8}, {"north": 500}),
        "contract": making.contract(tmp_path, site={"customProperties": []}),
    }
    result = making.run(tmp_path, "fairness", inputs)
    assert result.decision == "warn"
    assert "names no group column" in result.reasons[0]


def test_scores_without_the_contracts_groups_are_refused(tmp_path: Path) -> None:
    """Scores that lack a group column are a mistake in the call, and the column is named."""
    roles = [{"property": "strata.role", "value": "group"}]
    inputs = {
        "scores": scores(tmp_path, {"north": 0.8}, {"north": 500}),
        "contract": making.contract(tmp_path, maker={"customProperties": roles}),
    }
    with pytest.raises(ConfigError, match="group columns maker"):
        making.run(tmp_path, "fairness", inputs)
