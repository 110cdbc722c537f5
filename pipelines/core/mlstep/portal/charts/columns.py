"""Counts over time, in columns; a second count stands out in another colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from mlstep.portal.charts.svg import (
    Box,
    Scale,
    drawing,
    figure,
    horizontal_grid,
    shape,
    ticks,
    time_ticks,
    titled,
    vertical_ticks,
)

BOX = Box(520, 200)


@dataclass(frozen=True)
class Column:
    """How many in one span of time, and how many of them were special."""

    time: datetime
    count: int
    special: int = 0


def column_chart(title: str, columns: Sequence[Column], names: tuple[str, str], note: str = "") -> Markup:
    """A column a span; `names` are those of the count and of the special ones among them."""
    marks = ticks(0.0, float(max(1, *(column.count for column in columns))), 4)
    y = Scale(0.0, marks[-1], *BOX.y)
    first, last = columns[0].time, columns[-1].time
    left, right = BOX.x
    step = (right - left) / len(columns)
    x = Scale(first.timestamp(), last.timestamp(), left + step / 2, right - step / 2)
    below = (
        [(x(moment.timestamp()), label) for moment, label in time_ticks(first, last)]
        if last > first
        else [(left + step / 2, f"{first:%d %b %H:%M}")]
    )
    parts = [horizontal_grid(BOX, y, marks, "answers"), vertical_ticks(BOX, below)]
    parts += [
        _column(column, x(column.time.timestamp()) if last > first else left + step / 2, min(step * 0.82, 60), y, names)
        for column in columns
    ]
    legend = Markup(
        '<ul class="legend"><li><span class="key s0"></span>{}</li><li><span class="key red"></span>{}</li></ul>'
    ).format(*names)
    total = sum(column.count for column in columns)
    rows = [[f"{column.time:%Y-%m-%d %H:%M}", column.count, column.special] for column in columns]
    return figure(title, legend + drawing(BOX, f"{title}: {total:,} in all", parts), ["from (UTC)", *names], rows, note)


def _column(column: Column, centre: float, width: float, y: Scale, names: tuple[str, str]) -> Markup:
    bars = [
        _bar(css, count, centre, width, y) for css, count in (("s0", column.count), ("red", column.special)) if count
    ]
    words = f"{column.time:%Y-%m-%d %H:%M}: {column.count:,} {names[0]}, {column.special:,} {names[1]}"
    return titled(Markup().join(bars), words)


def _bar(css: str, count: int, centre: float, width: float, y: Scale) -> Markup:
    left, height = round(centre - width / 2, 2), round(y(0) - y(count), 2)
    return shape("rect", f"bar {css}", x=left, y=y(count), width=round(width, 2), height=height, rx=1)
