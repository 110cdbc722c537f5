"""Measure a closed window: sizes of what moved, was missing, got worse or was unfair."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlstep.canonical import read_json
from mlstep.model import PROFILE_FILE, Description, load_description
from mlstep.monitoring.signals import Signal
from mlstep.predictions import FEATURE
from mlstep.statistics import calibration, drift, groups, intervals, ranking
from mlstep.truths import GROUP

if TYPE_CHECKING:
    import polars as pl

_REPLICATES = 200
_CONFIDENCE = 0.95
_SEED = 20_240_101
_SMALLEST_GROUP = 50
_AUC = "validation_auc"


@dataclass(frozen=True)
class Baseline:
    """What a window is compared with: the champion's own description and training profile."""

    description: Description
    profile: Mapping[str, Any]


@dataclass(frozen=True)
class Reading:
    """One size in one window.

    Attributes:
        subject: the feature or group it is about; empty for the model as a whole.
        detail: for people, what the size is made of.
    """

    signal: str
    subject: str
    value: float
    red: bool
    detail: str

    def as_json(self) -> dict[str, Any]:
        """As it stands in the files of `metrics/`."""
        return {
            "signal": self.signal,
            "subject": self.subject,
            "value": self.value,
            "red": self.red,
            "detail": self.detail,
        }


def load_baseline(folder: Path) -> Baseline:
    """Read a model folder's description and profile.

    Raises:
        ConfigError: not a model folder.
    """
    return Baseline(load_description(folder), read_json(folder / PROFILE_FILE))


def predictions(rows: "pl.DataFrame", baseline: Baseline, signals: list[Signal]) -> list[Reading]:
    """Measure a window of answers."""
    measures = {
        "feature_drift": _feature_drift,
        "score_drift": _score_drift,
        "missing_values": _missing,
        "fallbacks": _fallbacks,
        "implausible_scores": _implausible,
        "estimated_performance": _estimated,
    }
    return _measure(measures, rows, baseline, signals)


def outcomes(rows: "pl.DataFrame", baseline: Baseline, signals: list[Signal]) -> list[Reading]:
    """Measure a window of answers whose outcome is known."""
    measures = {"realised_performance": _realised, "calibration": _calibration, "fairness": _fairness}
    return _measure(measures, rows, baseline, signals)


def unknown(signals: list[Signal], per: str) -> list[str]:
    """Signals of a stream that nothing measures."""
    known = {
        "feature_drift",
        "score_drift",
        "missing_values",
        "fallbacks",
        "implausible_scores",
        "estimated_performance",
    }
    known |= {"realised_performance", "calibration", "fairness", "model_age", "truth_age", "no_traffic", "integrity"}
    return [signal.id for signal in signals if signal.per == per and signal.id not in known]


def _measure(
    measures: Mapping[str, Any], rows: "pl.DataFrame", baseline: Baseline, signals: list[Signal]
) -> list[Reading]:
    readings = []
    for signal in signals:
        if signal.id in measures:
            found = measures[signal.id](rows, baseline)
            readings += [
                Reading(signal.id, subject, value, signal.red(value), detail) for subject, value, detail in found
            ]
    return readings


_Found = list[tuple[str, float, str]]


def _asked(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Features by their own names, of rows that had any: a body that was no JSON says nothing about features."""
    import polars as pl

    columns = [name for name in rows.columns if name.startswith(FEATURE)]
    present = (
        rows.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in columns)) if columns else rows.head(0)
    )
    return present.select(pl.col(name).alias(name.removeprefix(FEATURE)) for name in columns)


def _scored(rows: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return rows.filter(~pl.col("fallback") & pl.col("score").is_not_null())


def _shifts(rows: "pl.DataFrame", baseline: Baseline) -> "dict[str, drift.Shift]":
    features = _asked(rows)
    if features.is_empty() or "features" not in baseline.profile:
        return {}
    return drift.psi(baseline.profile, features)


def _feature_drift(rows: "pl.DataFrame", baseline: Baseline) -> _Found:
    """Values that are there against those of training; missing ones are another signal, and no reason to retrain."""
    features = _asked(rows)
    found: _Found = []
    for name, known in sorted(baseline.profile.get("features", {}).items()):
        if name in features.columns and len(features[name].drop_nulls()) >= _SMALLEST_GROUP:
            values = features[name].drop_nulls()
            shift = drift.shift({**known, "missing": 0}, values)
            found.append((name, shift.psi, _words(shift)))
    return found


def _words(shift: "drift.Shift") -> str:
    moved = "" if shift.mean_shift is None else f", mean moved {shift.mean_shift:+.2f} standard deviations"
    return f"PSI {shift.psi:.3f} over {shift.rows} rows{moved}"


def _missing(rows: "pl.DataFrame", baseline: Baseline) -> _Found:
    return [
        (
            name,
            shift.missing - shift.missing_before,
            f"{shift.missing:.1%} missing, {shift.missing_before:.1%} in training",
        )
        for name, shift in _shifts(rows, baseline).items()
    ]


def _score_drift(rows: "pl.DataFrame", baseline: Baseline) -> _Found:
    scores = _scored(rows).get_column("score")
    if scores.is_empty() or "score" not in baseline.profile:
        return []
    shift = drift.shift(baseline.profile["score"], scores)
    return [("", shift.psi, _words(shift))]


def _fallbacks(rows: "pl.DataFrame", baseline: Baseline) -> _Found:
    import polars as pl

    share = float(rows.get_column("fallback").sum()) / rows.height
    reasons = rows.filter("fallback").get_column("fallback_reason").value_counts(sort=True).head(1)
    most = f", most often: {reasons.item(0, 0)}" if reasons.height else ""
    return [("", share, f"{rows.filter(pl.col('fallback')).height} of {rows.height} answers{most}")]


def _implausible(rows: "pl.DataFrame", baseline: Baseline) -> _Found:
    import polars as pl

    # The service never lets such a score out: it answers with the fallback and this reason.
    wrong = rows.filter(pl.col("fallback_reason").str.starts_with("the model")).height
    return [("", wrong / rows.height, f"{wrong} of {rows.height} answers")]


def _estimated(rows: "pl.DataFrame", baseline: Baseline) -> _Found:
    before = baseline.description.metrics.get(_AUC)
    scores = _scored(rows).get_column("score").to_numpy()
    expected = calibration.expected_auc(scores) if len(scores) else math.nan
    if before is None or not math.isfinite(expected):
        return []
    return [
        (
            "",
            before - expected,
            f"expected AUC {expected:.3f} without labels, {before:.3f} in training, {len(scores)} rows",
        )
    ]


def _labelled(rows: "pl.DataFrame") -> "pl.DataFrame":
    return _scored(rows).drop_nulls("label")


def _realised(rows: "pl.DataFrame", baseline: Baseline) -> _Found:
    known = _labelled(rows)
    before = baseline.description.metrics.get(_AUC)
    if before is None or known.get_column("label").n_unique() < 2:
        return []
    found = ranking.auc_interval(known["label"].to_numpy(), known["score"].to_numpy(), _REPLICATES, _CONFIDENCE, _SEED)
    detail = f"AUC {_with_bounds(found)} on {known.height} outcomes, {before:.3f} in training"
    return [("", before - found.high, detail)]


def _calibration(rows: "pl.DataFrame", baseline: Baseline) -> _Found:
    known = _labelled(rows)
    if known.is_empty():
        return []
    positives, expected = int(known["label"].sum()), float(known["score"].sum()) / known.height
    low, high = intervals.wilson(positives, known.height)
    gap = max(0.0, low - expected, expected - high)
    share = f"{positives / known.height:.1%} [{low:.1%}, {high:.1%}]"
    detail = f"{share} of {known.height} outcomes are positive, {expected:.1%} were expected"
    return [("", gap, detail)]


def _fairness(rows: "pl.DataFrame", baseline: Baseline) -> _Found:
    found: _Found = []
    for column in sorted(name for name in rows.columns if name.startswith(GROUP)):
        found += _one_attribute(_labelled(rows).drop_nulls(column), column, baseline)
    return found


def _one_attribute(rows: "pl.DataFrame", column: str, baseline: Baseline) -> _Found:
    import numpy as np

    good = baseline.description.decisions["favourable"]
    table = groups.table(rows[column].to_numpy(), (rows["decision"] == good).to_numpy(), rows["label"].to_numpy())
    large = [index for index, count in enumerate(table.rows) if count >= _SMALLEST_GROUP]
    if len(large) < 2:
        return []
    rates = groups.favourable_rate(table.counts)
    replicates = groups.favourable_rate(groups.resample(table.counts, _REPLICATES, _SEED))
    best = max(large, key=lambda index: float(np.nan_to_num(rates[index])))
    found: _Found = []
    for index in large:
        if index == best or not rates[best] > 0:
            continue
        ratio = groups.ratio_interval(rates, replicates, index, best, _CONFIDENCE, "")
        name = f"{column.removeprefix(GROUP)}={table.names[index]}"
        detail = f"{rates[index]:.1%} get {good}, {rates[best]:.1%} in {table.names[best]}"
        found.append((name, ratio.high, f"{detail}; ratio {_with_bounds(ratio)}, n = {table.rows[index]}"))
    return found


def _with_bounds(interval: intervals.Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
