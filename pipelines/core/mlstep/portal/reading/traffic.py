"""Answers over time, from the prediction log."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mlstep import predictions
from mlstep.canonical import now

# From the finest on: the first in which the span of answers makes no more than this many columns.
_SPANS = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "1d": timedelta(days=1),
}
_MOST_COLUMNS = 60
DAYS = 30


@dataclass(frozen=True)
class Slot:
    """Answers within one span of time; latencies in milliseconds."""

    time: datetime
    answers: int
    fallbacks: int
    p50: float
    p99: float


@dataclass(frozen=True)
class Traffic:
    """Answers of the last days, cut into equal spans."""

    slots: list[Slot]
    answers: int
    fallbacks: int
    p50: float
    p99: float
    last: datetime
    span: str


def read(root: Path, model: str, role: str = "champion") -> Traffic | None:
    """Answers of the last 30 days; None without any."""
    import polars as pl

    since = now() - timedelta(days=DAYS)
    rows = predictions.scan(root, model, role, since).select("time", "fallback", "latency_ms")
    if rows.is_empty():
        return None
    first, last = rows.item(0, "time"), rows.item(-1, "time")
    span = next((name for name, size in _SPANS.items() if (last - first) / size <= _MOST_COLUMNS), "1d")
    grouped = rows.group_by_dynamic("time", every=span).agg(
        pl.len().alias("answers"),
        pl.col("fallback").sum().alias("fallbacks"),
        pl.col("latency_ms").median().alias("p50"),
        pl.col("latency_ms").quantile(0.99).alias("p99"),
    )
    slots = [Slot(*row) for row in grouped.select("time", "answers", "fallbacks", "p50", "p99").iter_rows()]
    latency = rows["latency_ms"]
    return Traffic(
        slots,
        rows.height,
        int(rows["fallback"].sum()),
        _float(latency.median()),
        _float(latency.quantile(0.99)),
        last,
        span,
    )


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
