"""How far rows have moved from the training rows: profiled once, compared often.

A profile keeps bins and counts per feature, no row. Alarms are about the size of a shift (PSI), not about p-values:
with a million rows every shift is significant.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

PROFILE_VERSION = 1
NUMBER_BINS = 20
_SMOOTHING = 0.5  # Rows added to every bin (Jeffreys), so that an empty bin gives a finite PSI.


class Profiled(Protocol):
    """What a profile needs to know of a feature; `mlstep.model.Feature` is one."""

    @property
    def name(self) -> str:
        """The column."""
        ...

    @property
    def kind(self) -> str:
        """number, category or boolean."""
        ...


@dataclass(frozen=True)
class Shift:
    """How far one feature has moved.

    Attributes:
        psi: population stability index over all bins and "missing"; 0.1 is small, 0.25 is large.
        ks: largest distance of the two distribution functions at the profile's edges; None for categories.
        mean_shift: in standard deviations of the training rows; None for categories.
        missing: share of missing values now.
        missing_before: the same in training.
        unseen: share of values that training had not seen; 0 for numbers.
        rows: rows compared.
    """

    psi: float
    ks: float | None
    mean_shift: float | None
    missing: float
    missing_before: float
    unseen: float
    rows: int


def profile(frame: "pl.DataFrame", features: Iterable[Profiled]) -> dict[str, Any]:
    """Bins and counts of every feature, as they stand in a model folder's `profile.json`.

    Raises:
        KeyError: a feature's column is missing.
    """
    return {
        "profile_version": PROFILE_VERSION,
        "rows": frame.height,
        "features": {feature.name: _profile_column(frame[feature.name], feature.kind) for feature in features},
    }


def score_profile(scores: "np.ndarray[Any, Any]") -> dict[str, Any]:
    """The profile of scores, to be compared with `shift`."""
    import polars as pl

    return _profile_column(pl.Series("score", scores), "number")


def psi(profile: Mapping[str, Any], frame: "pl.DataFrame") -> dict[str, Shift]:
    """The shift of every profiled feature; a column that is not there counts as missing in every row."""
    import polars as pl

    absent = pl.repeat(None, frame.height, dtype=pl.Float64, eager=True)
    return {
        name: shift(known, frame[name] if name in frame.columns else absent)
        for name, known in sorted(profile["features"].items())
    }


def shift(known: Mapping[str, Any], values: "pl.Series") -> Shift:
    """The shift of one column against its profile.

    Raises:
        ValueError: no rows.
    """
    import numpy as np

    rows = len(values)
    if not rows:
        raise ValueError("a shift needs at least one row")
    before = np.array([*known["counts"], known["missing"]], dtype=np.float64)
    if known["kind"] == "number":
        counts, missing, mean = _count_numbers(values, np.array(known["edges"]))
        distance = (
            float(np.abs(np.cumsum(_shares(counts)) - np.cumsum(_shares(before[:-1]))).max()) if counts.sum() else None
        )
        moved = (
            None
            if mean is None or not known["standard_deviation"]
            else (mean - known["mean"]) / known["standard_deviation"]
        )
        unseen = 0.0
    else:
        counts, missing = _count_categories(values, known["categories"])
        distance, moved = None, None
        unseen = float(counts[-1] / rows) if not known["counts"][-1] else 0.0
    after = np.append(counts, missing).astype(np.float64)
    return Shift(
        psi=index(before, after),
        ks=distance,
        mean_shift=moved,
        missing=missing / rows,
        missing_before=known["missing"] / max(1.0, float(before.sum())),
        unseen=unseen,
        rows=rows,
    )


def index(before: "np.ndarray[Any, Any]", after: "np.ndarray[Any, Any]") -> float:
    """Population stability index of two count vectors, smoothed; bins empty in both are left out."""
    import numpy as np

    used = (before + after) > 0
    expected, found = _shares(before[used] + _SMOOTHING), _shares(after[used] + _SMOOTHING)
    return float(np.sum((found - expected) * np.log(found / expected)))


def _profile_column(values: "pl.Series", kind: str) -> dict[str, Any]:
    return _profile_number(values) if kind == "number" else _profile_category(values)


def _profile_number(values: "pl.Series") -> dict[str, Any]:
    import numpy as np

    known = _known_numbers(values)
    levels = np.linspace(0, 1, NUMBER_BINS + 1)[1:-1]
    edges = np.unique(np.quantile(known, levels)) if len(known) else np.empty(0)
    counts, missing, mean = _count_numbers(values, edges)
    return {
        "kind": "number",
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "missing": missing,
        "mean": mean,
        "standard_deviation": float(known.std()) if len(known) else None,
        "minimum": float(known.min()) if len(known) else None,
        "maximum": float(known.max()) if len(known) else None,
    }


def _profile_category(values: "pl.Series") -> dict[str, Any]:
    import polars as pl

    texts = values.cast(pl.String)
    categories = sorted(texts.drop_nulls().unique().to_list())
    counts, missing = _count_categories(texts, categories)
    return {"kind": "category", "categories": categories, "counts": counts.tolist(), "missing": missing}


def _known_numbers(values: "pl.Series") -> "np.ndarray[Any, Any]":
    import numpy as np
    import polars as pl

    numbers = values.cast(pl.Float64).drop_nulls().to_numpy()
    return numbers[np.isfinite(numbers)]  # type: ignore[no-any-return]


def _count_numbers(
    values: "pl.Series", edges: "np.ndarray[Any, Any]"
) -> "tuple[np.ndarray[Any, Any], int, float | None]":
    import numpy as np

    known = _known_numbers(values)
    # A value equal to an edge belongs to the bin below it, as in a distribution function.
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return counts, len(values) - len(known), float(known.mean()) if len(known) else None


def _count_categories(values: "pl.Series", categories: list[str]) -> "tuple[np.ndarray[Any, Any], int]":
    import numpy as np
    import polars as pl

    texts = values.cast(pl.String)
    missing = texts.null_count()
    found = dict(texts.drop_nulls().value_counts().iter_rows())
    counts = [found.get(category, 0) for category in categories]
    return np.array([*counts, len(texts) - missing - sum(counts)]), missing


def _shares(counts: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    return counts / counts.sum()  # type: ignore[no-any-return]
