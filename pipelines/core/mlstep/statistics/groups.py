"""Rates by group and their uncertainty, from the contingency table: a thousand replicates in milliseconds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlstep.statistics.intervals import Interval, percentile_interval

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class GroupTable:
    """Counts by group, decision and label.

    Attributes:
        names: the groups, sorted.
        counts: (n_groups, 2, 2): group, favourable decision (0 or 1), label (0 or 1).
    """

    names: tuple[str, ...]
    counts: "np.ndarray[Any, Any]"

    @property
    def rows(self) -> "np.ndarray[Any, Any]":
        """Rows per group, (n_groups,)."""
        return self.counts.sum(axis=(1, 2))  # type: ignore[no-any-return]


def table(
    groups: "np.ndarray[Any, Any]", favourable: "np.ndarray[Any, Any]", labels: "np.ndarray[Any, Any]"
) -> GroupTable:
    """Count rows; groups are texts, the others 0 or 1, each (n_rows,)."""
    import numpy as np

    names, codes = np.unique(groups, return_inverse=True)
    cells = codes * 4 + favourable.astype(np.int64) * 2 + labels.astype(np.int64)
    counts = np.bincount(cells, minlength=4 * len(names)).reshape(len(names), 2, 2)
    return GroupTable(tuple(str(name) for name in names), counts)


def resample(counts: "np.ndarray[Any, Any]", replicates: int, seed: int) -> "np.ndarray[Any, Any]":
    """Bootstrap replicates of a table, (replicates, *counts.shape).

    Resampling rows and counting cells is the same as drawing cells from a multinomial, so rows are not needed.
    """
    import numpy as np

    flat = counts.reshape(-1)
    total = int(flat.sum())
    drawn = np.random.default_rng(seed).multinomial(total, flat / total, size=replicates)
    return drawn.reshape(replicates, *counts.shape)


def favourable_rate(counts: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Share of favourable decisions per group (approval rate), (..., n_groups); NaN for an empty group."""
    return _share(counts[..., 1, :].sum(axis=-1), counts.sum(axis=(-2, -1)))


def favourable_rate_given(counts: "np.ndarray[Any, Any]", label: int) -> "np.ndarray[Any, Any]":
    """Share of favourable decisions among rows of one label, (..., n_groups); NaN where there are none."""
    return _share(counts[..., 1, label], counts[..., :, label].sum(axis=-1))


def base_rate(counts: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Share of positive labels per group, (..., n_groups)."""
    return _share(counts[..., :, 1].sum(axis=-1), counts.sum(axis=(-2, -1)))


def ratio_interval(
    rates: "np.ndarray[Any, Any]",
    replicates: "np.ndarray[Any, Any]",
    group: int,
    reference: int,
    confidence: float,
    about: str,
) -> Interval:
    """A group's rate over the reference group's, with its interval; replicates is (n_replicates, n_groups).

    Raises:
        ValueError: no replicate gives a number.
    """
    ratios = _share(replicates[:, group], replicates[:, reference])
    return percentile_interval(float(_share(rates[group], rates[reference])), ratios, confidence, about)


def gap_interval(
    rates: "np.ndarray[Any, Any]",
    replicates: "np.ndarray[Any, Any]",
    group: int,
    reference: int,
    confidence: float,
    about: str,
) -> Interval:
    """The reference group's rate minus a group's, with its interval.

    Raises:
        ValueError: no replicate gives a number.
    """
    gaps = replicates[:, reference] - replicates[:, group]
    return percentile_interval(float(rates[reference] - rates[group]), gaps, confidence, about)


def _share(part: "np.ndarray[Any, Any]", whole: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.asarray(np.divide(part, whole), dtype=np.float64)
    return np.where(np.isfinite(share), share, np.nan)
