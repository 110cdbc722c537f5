"""Values with their intervals, one a row: performance, fairness by group, importance."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mlstep.portal.charts.svg import Box, Scale, drawing, figure, number, ticks, titled, vertical_ticks

ROW = 26


@dataclass(frozen=True)
class Row:
    """One value; `low` and `high` are the bounds of its interval, `verdict` is pass, fail or undecided."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    count: int | None = None
    verdict: str = ""


@dataclass(frozen=True)
class Axis:
    """The flat axis: its label, a limit to compare with, bounds that must be in it."""

    label: str
    limit: float | None = None
    limit_label: str = ""
    include: Sequence[float] = ()
    width: int = 520
    left: int = 150


def interval_chart(title: str, rows: Sequence[Row], axis: Axis, note: str = "") -> Markup:
    """A dot and a whisker a row; a row without a value says so."""
    box, x, marks = _layout(rows, axis)
    parts = [_grid(box, x, marks, axis)]
    parts += [_whisker(box, x, index, row) for index, row in enumerate(rows)]
    return _figure(title, drawing(box, f"{title}: {_spoken(rows)}", parts), rows, note)


def bar_chart(title: str, rows: Sequence[Row], axis: Axis, note: str = "") -> Markup:
    """A bar a row from nought, with its interval."""
    box, x, marks = _layout(
        rows, Axis(axis.label, axis.limit, axis.limit_label, (*axis.include, 0.0), axis.width, axis.left)
    )
    parts = [_grid(box, x, marks, axis)]
    parts += [_bar(box, x, index, row) for index, row in enumerate(rows)]
    return _figure(title, drawing(box, f"{title}: {_spoken(rows)}", parts), rows, note)


def _layout(rows: Sequence[Row], axis: Axis) -> tuple[Box, Scale, list[float]]:
    box = Box(axis.width, ROW * len(rows) + 56, left=axis.left, right=64, top=8, bottom=40)
    values = [value for row in rows for value in (row.value, row.low, row.high) if value is not None]
    values += [*axis.include, *([] if axis.limit is None else [axis.limit])]
    marks = ticks(min(values, default=0.0), max(values, default=1.0), 5)
    return box, Scale(marks[0], marks[-1], *box.x), marks


def _grid(box: Box, x: Scale, marks: Sequence[float], axis: Axis) -> Markup:
    bottom, top = box.y
    lines = [
        Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(x(value), x(value), bottom, top)
        for value in marks
    ]
    limit = Markup()
    if axis.limit is not None:
        place = x(axis.limit)
        limit = titled(
            Markup('<line class="limit" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(place, place, bottom, top),
            axis.limit_label or f"limit {number(axis.limit)}",
        )
    label = f"{axis.label} (dashed: {axis.limit_label})" if axis.limit is not None and axis.limit_label else axis.label
    return Markup().join([*lines, vertical_ticks(box, [(x(value), number(value)) for value in marks], label), limit])


def _whisker(box: Box, x: Scale, index: int, row: Row) -> Markup:
    y = box.top + ROW * index + ROW / 2
    label = Markup('<text class="row-label" x="{}" y="{}" text-anchor="end">{}</text>').format(
        box.left - 10, y + 4, row.label
    )
    if row.value is None:
        return label + Markup('<text class="tick" x="{}" y="{}">not decidable{}</text>').format(
            box.left + 6, y + 4, f", n = {row.count:,}" if row.count is not None else ""
        )
    low, high = row.low if row.low is not None else row.value, row.high if row.high is not None else row.value
    css = f"s0 {row.verdict}"
    shape = Markup(
        '<line class="whisker {}" x1="{}" x2="{}" y1="{}" y2="{}"/><circle class="dot {}" cx="{}" cy="{}" r="4.5"/><text class="value" x="{}" y="{}">{}</text>'
    ).format(css, x(low), x(high), y, y, css, x(row.value), y, box.x[1] + 8, y + 4, number(row.value))
    return label + titled(shape, _words(row))


def _bar(box: Box, x: Scale, index: int, row: Row) -> Markup:
    y = box.top + ROW * index + 4
    label = Markup('<text class="row-label" x="{}" y="{}" text-anchor="end">{}</text>').format(
        box.left - 10, y + 13, row.label
    )
    if row.value is None:
        return label
    zero, end = x(0.0), x(row.value)
    shape = Markup('<rect class="bar s0" x="{}" y="{}" width="{}" height="{}" rx="2"/>').format(
        min(zero, end), y, max(abs(end - zero), 1), ROW - 9
    )
    if row.low is not None and row.high is not None:
        shape += Markup('<line class="whisker over" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            x(row.low), x(row.high), y + 8.5, y + 8.5
        )
    shape += Markup('<text class="value" x="{}" y="{}">{}</text>').format(box.x[1] + 8, y + 13, number(row.value))
    return label + titled(shape, _words(row))


def _words(row: Row) -> str:
    interval = f" [{number(row.low)}, {number(row.high)}]" if row.low is not None and row.high is not None else ""
    count = f", n = {row.count:,}" if row.count is not None else ""
    return f"{row.label}: {number(row.value)}{interval}{count} {row.verdict}".rstrip()


def _spoken(rows: Sequence[Row]) -> str:
    return "; ".join(map(_words, rows[:8]))


def _figure(title: str, picture: Markup, rows: Sequence[Row], note: str) -> Markup:
    content = [[row.label, row.value, row.low, row.high, row.count, row.verdict] for row in rows]
    return figure(title, picture, ["", "value", "from", "to", "n", "verdict"], content, note)
