"""Is a score of 0.1 followed by the outcome in one case of ten? Predicted against observed, on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mlstep.portal.charts.svg import (
    Box,
    Scale,
    drawing,
    figure,
    horizontal_grid,
    number,
    shape,
    ticks,
    titled,
    vertical_ticks,
)

BOX = Box(520, 340, left=56, right=20, top=26, bottom=44)


@dataclass(frozen=True)
class Bin:
    """Scores of about one size: their mean, the share of positives, its interval, how many."""

    predicted: float
    observed: float
    low: float | None
    high: float | None
    count: int


def calibration_chart(title: str, bins: Sequence[Bin], note: str = "") -> Markup:
    """Dots with intervals around the diagonal, on which they should lie."""
    top = max(value for item in bins for value in (item.predicted, item.observed, item.high or 0.0))
    marks = ticks(0.0, min(max(top, 0.01), 1.0), 5)
    x, y = Scale(0.0, marks[-1], *BOX.x), Scale(0.0, marks[-1], *BOX.y)
    diagonal = shape("line", "reference", x1=x(0), y1=y(0), x2=x(marks[-1]), y2=y(marks[-1]))
    path = " ".join(f"{x(item.predicted)},{y(item.observed)}" for item in bins)
    parts = [
        horizontal_grid(BOX, y, marks, "observed share"),
        vertical_ticks(BOX, [(x(value), number(value)) for value in marks], "mean score"),
        diagonal,
    ]
    parts += [shape("polyline", "line s0", points=path), *(_dot(item, x, y) for item in bins)]
    rows = [[item.predicted, item.observed, item.low, item.high, item.count] for item in bins]
    spoken = (
        f"{title}: {len(bins)} bins, largest gap {number(max(abs(item.predicted - item.observed) for item in bins))}"
    )
    return figure(title, drawing(BOX, spoken, parts), ["mean score", "observed share", "from", "to", "n"], rows, note)


def _dot(item: Bin, x: Scale, y: Scale) -> Markup:
    place = x(item.predicted)
    whisker = Markup()
    if item.low is not None and item.high is not None:
        whisker = shape("line", "whisker s0", x1=place, x2=place, y1=y(item.low), y2=y(item.high))
    words = f"mean score {number(item.predicted)}, observed {number(item.observed)}, n = {item.count:,}"
    return titled(whisker + shape("circle", "dot s0", cx=place, cy=y(item.observed), r=4), words)
