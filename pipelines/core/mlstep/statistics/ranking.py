"""AUC by ranks: sorted once, then each bootstrap replicate costs one pass over the counts."""

from typing import TYPE_CHECKING, Any

from mlstep.statistics.intervals import Interval, percentile_interval

if TYPE_CHECKING:
    import numpy as np


class Ranking:
    """Labels sorted by score, ready for repeated AUCs with different weights.

    Args:
        labels: 0 or 1, (n_rows,).
        scores: finite, (n_rows,).

    Raises:
        ValueError: one of the two classes is missing, or a score is not finite.
    """

    def __init__(self, labels: "np.ndarray[Any, Any]", scores: "np.ndarray[Any, Any]") -> None:
        import numpy as np

        if not np.isfinite(scores).all():
            raise ValueError("scores hold values that are not finite")
        positives = int(np.count_nonzero(labels))
        if positives in (0, len(labels)):
            raise ValueError("AUC needs rows of both classes")
        self.order = np.argsort(scores, kind="stable")
        ranked = scores[self.order]
        starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
        self.positive = labels[self.order].astype(np.float64)
        self.starts = None if len(starts) == len(ranked) else starts  # None when no two scores are equal.

    def auc(self, weights: "np.ndarray[Any, Any] | None" = None) -> float:
        """Area under the ROC curve, rows counted `weights` times (once when None); NaN when a class has no weight."""
        import numpy as np

        counts = None if weights is None else weights[self.order]
        positive = self.positive if counts is None else self.positive * counts
        negative = 1 - self.positive if counts is None else counts - positive
        if self.starts is not None:
            positive, negative = np.add.reduceat(positive, self.starts), np.add.reduceat(negative, self.starts)
        below = np.cumsum(negative)
        pairs = float(positive.sum()) * float(below[-1])
        return float(np.dot(positive, below - 0.5 * negative)) / pairs if pairs else float("nan")


def auc(labels: "np.ndarray[Any, Any]", scores: "np.ndarray[Any, Any]") -> float:
    """Area under the ROC curve; ties count half.

    Raises:
        ValueError: see `Ranking`.
    """
    return Ranking(labels, scores).auc()


def bootstrap_aucs(rankings: "list[Ranking]", replicates: int, seed: int) -> "np.ndarray[Any, Any]":
    """AUCs of the same resampled rows for every ranking, (replicates, n_rankings): paired by construction."""
    import numpy as np

    rng = np.random.default_rng(seed)
    rows = len(rankings[0].order)
    found = np.empty((replicates, len(rankings)))
    for replicate in range(replicates):
        weights = np.bincount(rng.integers(0, rows, rows), minlength=rows).astype(np.float64)
        found[replicate] = [ranking.auc(weights) for ranking in rankings]
    return found


def auc_interval(
    labels: "np.ndarray[Any, Any]", scores: "np.ndarray[Any, Any]", replicates: int, confidence: float, seed: int
) -> Interval:
    """AUC with its percentile bootstrap interval.

    Raises:
        ValueError: see `Ranking`.
    """
    ranking = Ranking(labels, scores)
    return percentile_interval(ranking.auc(), bootstrap_aucs([ranking], replicates, seed)[:, 0], confidence)


def paired_auc_delta(
    labels: "np.ndarray[Any, Any]",
    scores: "np.ndarray[Any, Any]",
    other: "np.ndarray[Any, Any]",
    replicates: int,
    confidence: float,
    seed: int,
) -> Interval:
    """AUC of `scores` minus AUC of `other` on the same rows, with its paired bootstrap interval.

    Raises:
        ValueError: see `Ranking`.
    """
    rankings = [Ranking(labels, scores), Ranking(labels, other)]
    found = bootstrap_aucs(rankings, replicates, seed)
    return percentile_interval(rankings[0].auc() - rankings[1].auc(), found[:, 0] - found[:, 1], confidence)


def kolmogorov_smirnov(labels: "np.ndarray[Any, Any]", scores: "np.ndarray[Any, Any]") -> float:
    """Largest distance between the score distributions of the two classes.

    Raises:
        ValueError: see `Ranking`.
    """
    import numpy as np

    ranking = Ranking(labels, scores)
    positive, negative = ranking.positive, 1 - ranking.positive
    if ranking.starts is not None:
        positive, negative = np.add.reduceat(positive, ranking.starts), np.add.reduceat(negative, ranking.starts)
    distance = np.cumsum(positive) / positive.sum() - np.cumsum(negative) / negative.sum()
    return float(np.abs(distance).max())
