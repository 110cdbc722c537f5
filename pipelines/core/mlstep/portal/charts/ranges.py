"""Values with their intervals, one a row: performance, fairness by group, importance."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mlstep.portal.charts.svg import Box, Scale, drawing, figure, number, shape, text, ticks, titled, vertical_ticks

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
    parts = [shape("line", "grid", x1=x(value), x2=x(value), y1=bottom, y2=top) for value in marks]
    label = axis.label
    if axis.limit is not None:
        words = axis.limit_label or f"limit {number(axis.limit)}"
        label = f"{axis.label} (dashed: {words})"
        parts.append(titled(shape("line", "limit", x1=x(axis.limit), x2=x(axis.limit), y1=bottom, y2=top), words))
    return Markup().join([vertical_ticks(box, [(x(value), number(value)) for value in marks], label), *parts])


def _whisker(box: Box, x: Scale, index: int, row: Row) -> Markup:
    y = box.top + ROW * index + ROW / 2
    label = text("row-label", box.left - 10, y + 4, row.label, "end")
    if row.value is None:
        count = "" if row.count is None else f", n = {row.count:,}"
        return label + text("tick", box.left + 6, y + 4, f"not decidable{count}")
    low = row.value if row.low is None else row.low
    high = row.value if row.high is None else row.high
    css = f"s0 {row.verdict}".strip()
    parts = [
        shape("line", f"whisker {css}", x1=x(low), x2=x(high), y1=y, y2=y),
        shape("circle", f"dot {css}", cx=x(row.value), cy=y, r=4.5),
        text("value", box.x[1] + 8, y + 4, number(row.value)),
    ]
    return label + titled(Markup().join(parts), _words(row))


def _bar(box: Box, x: Scale, index: int, row: Row) -> Markup:
    y = box.top + ROW * index + 4
    label = text("row-label", box.left - 10, y + 13, row.label, "end")
    if row.value is None:
        return label
    zero, end = x(0.0), x(row.value)
    parts = [shape("rect", "bar s0", x=min(zero, end), y=y, width=max(abs(end - zero), 1), height=ROW - 9, rx=2)]
    if row.low is not None and row.high is not None:
        parts.append(shape("line", "whisker over", x1=x(row.low), x2=x(row.high), y1=y + 8.5, y2=y + 8.5))
    parts.append(text("value", box.x[1] + 8, y + 13, number(row.value)))
    return label + titled(Markup().join(parts), _words(row))


def _words(row: Row) -> str:
    interval = f" [{number(row.low)}, {number(row.high)}]" if row.low is not None and row.high is not None else ""
    count = f", n = {row.count:,}" if row.count is not None else ""
    return f"{row.label}: {number(row.value)}{interval}{count} {row.verdict}".rstrip()


def _spoken(rows: Sequence[Row]) -> str:
    return "; ".join(map(_words, rows[:8]))


def _figure(title: str, picture: Markup, rows: Sequence[Row], note: str) -> Markup:
    content = [[row.label, row.value, row.low, row.high, row.count, row.verdict] for row in rows]
    return figure(title, picture, ["", "value", "from", "to", "n", "verdict"], content, note)
