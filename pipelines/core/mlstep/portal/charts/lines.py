"""Values over time: lines with a limit, and the same in small, many side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from markupsafe import Markup

from mlstep.portal.charts.svg import (
    Box,
    Scale,
    drawing,
    figure,
    horizontal_grid,
    number,
    shape,
    text,
    ticks,
    time_ticks,
    titled,
    vertical_ticks,
)

WIDE = Box(1080, 240)
HALF = Box(520, 220)
MOST_LINES = 8
"""As many colours as the style sheet has."""
SMALL = Box(250, 132, left=40, right=10, top=12, bottom=24)


@dataclass(frozen=True)
class Point:
    """One value at one time; `red` is beyond its limit."""

    time: datetime
    value: float
    red: bool = False
    detail: str = ""


@dataclass(frozen=True)
class Line:
    """One series."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Limit:
    """From where on a value is too much (or too little), drawn as a dashed line."""

    value: float
    label: str


@dataclass(frozen=True)
class Marker:
    """A moment worth a line of its own, such as a change of champion."""

    time: datetime
    label: str


@dataclass(frozen=True)
class Look:
    """How a line picture looks: its box, axis label, and whether the axis starts at nought."""

    box: Box = WIDE
    y_label: str = ""
    from_zero: bool = True
    percent: bool = False
    note: str = ""
    markers: Sequence[Marker] = field(default_factory=tuple)


def line_chart(title: str, lines: Sequence[Line], limit: Limit | None, look: Look) -> Markup:
    """Lines over time with their limit; the numbers of all points in a table."""
    points = [point for line in lines for point in line.points]
    box = look.box
    values = [point.value for point in points] + ([limit.value] if limit else []) + ([0.0] if look.from_zero else [])
    marks = ticks(min(values), max(values), 3 if box.height < 160 else 5)
    y = Scale(marks[0], marks[-1], *box.y)
    first, last = min(point.time for point in points), max(point.time for point in points)
    x = (
        Scale(first.timestamp(), last.timestamp(), *box.x)
        if last > first
        else Scale(first.timestamp() - 1, first.timestamp() + 1, *box.x)
    )
    few = 2 if box.width < 300 else 6
    below = [(x(moment.timestamp()), label) for moment, label in time_ticks(first, last, few)]
    parts = [horizontal_grid(box, y, marks, look.y_label, look.percent), vertical_ticks(box, below)]
    parts += [_marker(box, x(mark.time.timestamp()), mark) for mark in look.markers if first <= mark.time <= last]
    parts += [_limit(box, y(limit.value), limit)] if limit else []
    parts += [_line(index, line, x, y) for index, line in enumerate(lines)]
    legend = _legend(lines) if len(lines) > 1 else Markup()
    rows = [
        [line.name, f"{point.time:%Y-%m-%d %H:%M}", point.value, "beyond limit" if point.red else "", point.detail]
        for line in lines
        for point in line.points
    ]
    picture = legend + drawing(box, f"{title}: {_spoken(lines, limit)}", parts)
    return figure(
        title,
        picture,
        ["series", "time (UTC)", "value", "", "detail"],
        rows,
        look.note,
        "small" if box is SMALL else "",
    )


def _line(index: int, line: Line, x: Scale, y: Scale) -> Markup:
    places = [(x(point.time.timestamp()), y(point.value), point) for point in line.points]
    path = " ".join(f"{px},{py}" for px, py, _ in places)
    dots = [titled(_dot(index, px, py, point), _words(line.name, point)) for px, py, point in places]
    return Markup().join([shape("polyline", f"line s{index}", points=path), *dots])


def _dot(index: int, x: float, y: float, point: Point) -> Markup:
    return shape("circle", f"dot s{index} red" if point.red else f"dot s{index}", cx=x, cy=y, r=4 if point.red else 2.6)


def _words(name: str, point: Point) -> str:
    beyond = " beyond its limit" if point.red else ""
    return f"{name} {point.time:%Y-%m-%d %H:%M}: {number(point.value)}{beyond} {point.detail}".rstrip()


def _limit(box: Box, height: float, limit: Limit) -> Markup:
    left, right = box.x
    line = shape("line", "limit", x1=left, x2=right, y1=height, y2=height)
    return line + text("limit-label", right, height - 4, limit.label, "end")


def _marker(box: Box, place: float, mark: Marker) -> Markup:
    bottom, top = box.y
    line = shape("line", "marker", x1=place, x2=place, y1=bottom, y2=top)
    words = text("marker-label", place + 4, top + 9, mark.label)
    return titled(line + words, f"{mark.time:%Y-%m-%d %H:%M} {mark.label}")


def _legend(lines: Sequence[Line]) -> Markup:
    items = [
        Markup('<li><span class="key s{}"></span>{}</li>').format(index, line.name) for index, line in enumerate(lines)
    ]
    return Markup('<ul class="legend">{}</ul>').format(Markup().join(items))


def _spoken(lines: Sequence[Line], limit: Limit | None) -> str:
    last = "; ".join(f"{line.name} is {number(line.points[-1].value)}" for line in lines if line.points)
    return f"{last}{f'; limit {number(limit.value)}' if limit else ''}"
