"""Whether a score of 0.1 means one in ten."""

from typing import TYPE_CHECKING, Any

from mlstep.statistics.intervals import wilson

if TYPE_CHECKING:
    import numpy as np


def brier(labels: "np.ndarray[Any, Any]", scores: "np.ndarray[Any, Any]") -> float:
    """Mean squared difference of score and label; 0 is perfect."""
    import numpy as np

    return float(np.mean((scores - labels) ** 2))


def log_loss(labels: "np.ndarray[Any, Any]", scores: "np.ndarray[Any, Any]") -> float:
    """Mean negative log-likelihood, in nats; scores are kept 1e-15 away from 0 and 1."""
    import numpy as np

    kept = np.clip(scores, 1e-15, 1 - 1e-15)
    return float(-np.mean(labels * np.log(kept) + (1 - labels) * np.log1p(-kept)))


def curve(labels: "np.ndarray[Any, Any]", scores: "np.ndarray[Any, Any]", bins: int) -> list[dict[str, float]]:
    """Mean score and observed share (with Wilson's 95 percent interval) in bins of equally many rows, low to high."""
    import numpy as np

    order = np.argsort(scores, kind="stable")
    points = []
    for part in np.array_split(order, min(bins, len(order))):
        observed = int(np.count_nonzero(labels[part]))
        low, high = wilson(observed, len(part))
        points.append(
            {
                "score": float(scores[part].mean()),
                "observed": observed / len(part),
                "low": low,
                "high": high,
                "rows": len(part),
            }
        )
    return points


def expected_calibration_error(points: list[dict[str, float]]) -> float:
    """Mean distance between score and observed share over a curve's bins, weighted by rows."""
    rows = sum(point["rows"] for point in points)
    return sum(point["rows"] * abs(point["score"] - point["observed"]) for point in points) / rows


def expected_auc(scores: "np.ndarray[Any, Any]") -> float:
    """AUC to expect before labels are known, if the scores are calibrated (the CBPE idea); NaN when it cannot be told.

    Each row counts as `score` positives and `1 - score` negatives.
    """
    import numpy as np

    ranked = np.sort(scores)
    starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
    positive, negative = np.add.reduceat(ranked, starts), np.add.reduceat(1 - ranked, starts)
    below = np.cumsum(negative)
    pairs = float(positive.sum()) * float(below[-1])
    return float(np.dot(positive, below - 0.5 * negative)) / pairs if pairs > 0 else float("nan")
