"""Statistics against references: scikit-learn, brute force, and closed forms."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from mlstep.model import Feature
from mlstep.statistics import calibration, drift, groups, intervals, ranking

SEED = 20260101


def sample(rows: int, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores that are related."""
    rng = np.random.default_rng(SEED)
    scores = rng.random(rows)
    labels = (rng.random(rows) < scores).astype(int)
    return labels, np.round(scores, 1) if ties else scores


@pytest.mark.parametrize("ties", [False, True])
def test_auc_is_scikit_learns(ties: bool) -> None:
    """The rank-based AUC equals scikit-learn's, ties included."""
    labels, scores = sample(3000, ties)
    assert ranking.auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_bootstrap_auc_is_brute_force(ties: bool) -> None:
    """Each replicate equals scikit-learn's AUC of the rows drawn with the same generator."""
    labels, scores = sample(500, ties)
    found = ranking.bootstrap_aucs([ranking.Ranking(labels, scores)], 20, SEED)[:, 0]
    rng = np.random.default_rng(SEED)
    expected = [roc_auc_score(labels[drawn], scores[drawn]) for drawn in (rng.integers(0, 500, 500) for _ in range(20))]
    assert found == pytest.approx(expected, abs=1e-12)


def test_paired_delta_is_narrower_than_two_intervals() -> None:
    """A slightly worse copy of a score gives a paired interval much narrower than the AUC's own."""
    labels, scores = sample(4000)
    worse = scores + np.random.default_rng(1).normal(0, 0.05, 4000)
    delta = ranking.paired_auc_delta(labels, scores, worse, 300, 0.95, SEED)
    alone = ranking.auc_interval(labels, scores, 300, 0.95, SEED)
    assert delta.low <= delta.value <= delta.high
    assert (delta.high - delta.low) < (alone.high - alone.low) / 2


def test_auc_needs_both_classes_and_finite_scores() -> None:
    """One class only, or NaN, is an error and not a number."""
    with pytest.raises(ValueError, match="both classes"):
        ranking.auc(np.ones(5), np.arange(5.0))
    with pytest.raises(ValueError, match="not finite"):
        ranking.auc(np.array([0, 1]), np.array([0.1, np.nan]))


def test_kolmogorov_smirnov_is_scipys() -> None:
    """The distance of the two classes' scores equals SciPy's two-sample statistic."""
    from scipy.stats import ks_2samp

    labels, scores = sample(2000, ties=True)
    expected = ks_2samp(scores[labels == 1], scores[labels == 0]).statistic
    assert ranking.kolmogorov_smirnov(labels, scores) == pytest.approx(expected, abs=1e-12)


def test_calibration_is_scikit_learns() -> None:
    """Brier score and log loss equal scikit-learn's; calibrated scores err little, distorted ones much."""
    labels, scores = sample(20_000)
    assert calibration.brier(labels, scores) == pytest.approx(brier_score_loss(labels, scores))
    assert calibration.log_loss(labels, scores) == pytest.approx(sklearn_log_loss(labels, scores))
    good = calibration.expected_calibration_error(calibration.curve(labels, scores, 10))
    bad = calibration.expected_calibration_error(calibration.curve(labels, scores**3, 10))
    assert good < 0.02
    assert bad > 0.1


def test_expected_auc_meets_the_realised_one() -> None:
    """For calibrated scores the AUC expected without labels is the AUC found with them."""
    labels, scores = sample(50_000)
    assert calibration.expected_auc(scores) == pytest.approx(ranking.auc(labels, scores), abs=0.01)


def test_wilson_is_the_published_example() -> None:
    """Wilson's interval of 10 in 100 is 5.5 to 17.4 percent (Newcombe 1998, method 3)."""
    low, high = intervals.wilson(10, 100)
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)


def test_group_bootstrap_agrees_with_resampled_rows() -> None:
    """Bounds of a ratio from the contingency table agree with those from resampling rows one by one."""
    rng = np.random.default_rng(SEED)
    names = rng.choice(["a", "b"], 3000, p=[0.7, 0.3])
    favourable = rng.random(3000) < np.where(names == "a", 0.8, 0.65)
    labels = rng.random(3000) < 0.2
    counted = groups.table(names, favourable, labels)
    rates = groups.favourable_rate(counted.counts)
    found = groups.ratio_interval(
        rates, groups.favourable_rate(groups.resample(counted.counts, 2000, SEED)), 1, 0, 0.95, ""
    )
    ratios = []
    for _ in range(1000):
        drawn = rng.integers(0, 3000, 3000)
        group, good = names[drawn], favourable[drawn]
        ratios.append(good[group == "b"].mean() / good[group == "a"].mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(ratios, [0.025, 0.975])), abs=0.01)
    assert found.value == pytest.approx(favourable[names == "b"].mean() / favourable[names == "a"].mean())


def test_drift_is_zero_on_the_same_rows_and_grows_with_the_shift() -> None:
    """PSI of the training rows is nought; a shift of half a standard deviation gives the closed form's 0.25."""
    rng = np.random.default_rng(SEED)
    number = Feature("x", "number", None, None, (), False, True)
    category = Feature("c", "category", None, None, ("a", "b"), False, True)
    before = pl.DataFrame({"x": rng.normal(size=50_000), "c": rng.choice(["a", "b"], 50_000)})
    known = drift.profile(before, [number, category])
    same = drift.psi(known, before)
    assert (same["x"].psi, same["x"].ks) == pytest.approx((0, 0), abs=1e-9)
    after = pl.DataFrame({"x": rng.normal(0.5, 1, 50_000), "c": rng.choice(["a", "new"], 50_000)})
    moved = drift.psi(known, after)
    assert moved["x"].psi == pytest.approx(0.25, abs=0.02)  # Two normals 0.5 apart: PSI is 0.5 squared.
    assert moved["x"].mean_shift == pytest.approx(0.5, abs=0.02)
    assert moved["c"].unseen == pytest.approx(0.5, abs=0.02)
    assert moved["c"].psi > 1


def test_drift_of_missing_values_and_columns() -> None:
    """Values that go missing move the index; a column that is gone counts as missing in every row."""
    number = Feature("x", "number", None, None, (), False, True)
    before = pl.DataFrame({"x": [float(value) for value in range(1000)]})
    known = drift.profile(before, [number])
    half = drift.psi(
        known, before.with_columns(pl.when(pl.col("x") < 500).then(None).otherwise(pl.col("x")).alias("x"))
    )["x"]
    gone = drift.psi(known, pl.DataFrame({"y": [1] * 1000}))["x"]
    assert (half.missing, half.missing_before) == (0.5, 0.0)
    assert (gone.missing, gone.ks) == (1.0, None)
    assert gone.psi > half.psi > 0.5
