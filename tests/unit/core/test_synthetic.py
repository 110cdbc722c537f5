"""Generated rows hold what was asked for, at the size asked for, and nothing else changes."""

import time
from datetime import datetime

import polars as pl
import pytest

from mlstep.data.synthetic import DAYS, generate, parse_uri, to_uri, with_values
from mlstep.errors import ConfigError

ROWS = 20_000


def test_the_same_recipe_gives_the_same_rows() -> None:
    """Seed and sizes decide everything; another seed gives other rows."""
    assert generate(2_000, 5).equals(generate(2_000, 5))
    assert not generate(2_000, 5).equals(generate(2_000, 6))
    uri = "synthetic:credit?rows=50&seed=5&drift=0.5"
    assert parse_uri(to_uri(parse_uri(uri))) == parse_uri(uri)


@pytest.mark.parametrize("rate", [0.02, 0.054, 0.2])
def test_the_default_rate_is_as_asked(rate: float) -> None:
    """The mean true probability is the rate; the outcomes follow the probability."""
    frame = generate(ROWS, 1, default_rate=rate, true_probability=True)
    assert frame["true_probability"].mean() == pytest.approx(rate, rel=0.08)
    assert frame["defaulted"].mean() == pytest.approx(frame["true_probability"].mean(), rel=0.12)


def test_the_truth_separates_well_but_not_perfectly() -> None:
    """The area under the curve of the true probability lies where a good credit model's does."""
    from sklearn.metrics import roc_auc_score

    frame = generate(ROWS, 2, true_probability=True)
    area = roc_auc_score(frame["defaulted"].to_numpy(), frame["true_probability"].to_numpy())
    assert 0.74 < area < 0.82


def test_drift_shifts_features_by_sigmas() -> None:
    """Half a sigma of drift moves the log of income by half its standard deviation, and leaves other features alone."""
    still, moved = generate(ROWS, 3), generate(ROWS, 3, drift=0.5)
    before, after = still["income"].log(), moved["income"].log()
    sigma = before.std()
    assert isinstance(sigma, float)
    assert float(before.mean() - after.mean()) / sigma == pytest.approx(0.5, abs=0.02)  # type: ignore[operator, arg-type]
    assert still["late_payments"].equals(moved["late_payments"])
    assert float(moved["defaulted"].mean()) > float(still["defaulted"].mean())  # type: ignore[arg-type]


def test_unfairness_changes_what_is_recorded_not_what_is_true() -> None:
    """Women's recorded income and outcomes worsen by the size asked for; the truth, and men, do not change."""
    fair, unfair = (generate(ROWS, 3, unfairness=size, true_probability=True) for size in (0.0, 1.0))
    assert fair["true_probability"].equals(unfair["true_probability"])
    men, women = pl.col("gender") == "man", pl.col("gender") == "woman"
    assert fair.filter(men).equals(unfair.filter(men))
    incomes = [frame.filter(women)["income"].log().mean() for frame in (fair, unfair)]
    assert incomes[0] - incomes[1] == pytest.approx(fair["income"].log().std(), rel=0.03)  # type: ignore[operator]
    odds = pl.col("true_probability").log() - (1 - pl.col("true_probability")).log() + 1.0
    recorded = unfair.filter(women).select(expected=1 / (1 + (-odds).exp()), found=pl.col("defaulted").cast(pl.Float64))
    assert recorded["found"].mean() == pytest.approx(recorded["expected"].mean(), rel=0.05)


@pytest.mark.parametrize(("share", "rows"), [(0.01, 200), (0.0001, 2), (1e-9, 1)])
def test_personal_data_is_put_into_exactly_so_many_rows(share: float, rows: int) -> None:
    """The share is met to the row, one row at least."""
    clean, dirty = generate(ROWS, 4), generate(ROWS, 4, pii=share)
    assert int((clean["note"] != dirty["note"]).sum()) == rows
    assert clean.drop("note").equals(dirty.drop("note"))


def test_young_outcomes_are_not_known() -> None:
    """With a label delay, exactly the rows younger than it have no outcome."""
    frame = generate(ROWS, 4, label_delay_days=60, start=datetime(2025, 1, 1))  # noqa: DTZ001 - as in the rows
    times = frame.filter(pl.col("defaulted").is_null())["applied_at"]
    assert frame["defaulted"].null_count() == pytest.approx(ROWS * 60 / DAYS, rel=0.1)
    assert times.min() >= frame.filter(pl.col("defaulted").is_not_null())["applied_at"].max()  # type: ignore[operator]


def test_wrong_recipes_are_told_at_once() -> None:
    """Unknown keys, unreadable values and sizes out of range."""
    with pytest.raises(ConfigError) as caught:
        parse_uri("synthetic:credit?rows=ten&sede=1&pii=0.1")
    assert "rows=ten" in str(caught.value)
    assert "sede is not known" in str(caught.value)
    with pytest.raises(ConfigError, match="generator 'debit' is not known"):
        parse_uri("synthetic:debit?rows=1")
    with pytest.raises(ConfigError) as sizes:
        generate(10, 1, drift=9, pii=2)
    assert "drift is 9" in str(sizes.value)
    assert "pii is 2" in str(sizes.value)


def test_no_rows_have_the_same_columns() -> None:
    """Zero rows are a frame with all columns and types."""
    assert generate(0, 1).schema == generate(10, 1).schema


def test_generating_takes_no_longer_for_what_is_injected() -> None:
    """A hundred thousand rows are made in one go; the time is printed, not judged."""
    began = time.perf_counter()
    assert generate(100_000, 7, drift=0.3, pii=0.01).height == 100_000
    print(f"100,000 rows in {time.perf_counter() - began:.2f} s")


def test_changed_uri_leaves_open_what_was_open() -> None:
    """Setting the drift of a source does not fix its start: rows made tomorrow must not look old."""
    changed = with_values("synthetic:credit?rows=500&seed=7", drift=1.0, seed=9)
    assert changed == "synthetic:credit?rows=500&seed=9&drift=1.0"
