"""What all pictures share: scales, ticks, axes, and the figure around them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

NOTHING = "\N{EN DASH}"
"""What stands where there is no value."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_SPANS = tuple(
    timedelta(minutes=count)
    for count in (1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10080, 20160, 43200, 129600, 525600)
)


@dataclass(frozen=True)
class Box:
    """A picture's size and the margins around its plot, in pixels."""

    width: int
    height: int
    left: int = 56
    right: int = 16
    top: int = 26
    bottom: int = 34

    @property
    def x(self) -> tuple[float, float]:
        """Left and right edge of the plot."""
        return float(self.left), float(self.width - self.right)

    @property
    def y(self) -> tuple[float, float]:
        """Bottom and top edge of the plot: values grow upwards."""
        return float(self.height - self.bottom), float(self.top)


@dataclass(frozen=True)
class Scale:
    """A linear map from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value, kept inside the plot."""
        share = (min(max(value, self.low), self.high) - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.end - self.start), 2)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, about `count` of them."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return [0.0, 1.0]
    if high <= low:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    rough = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in _STEPS if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def time_ticks(first: datetime, last: datetime, count: int = 6) -> list[tuple[datetime, str]]:
    """Round moments between two, each with its label."""
    span = next((span for span in _SPANS if (last - first) / span <= count), _SPANS[-1])
    seconds = span.total_seconds()
    start = math.ceil(first.timestamp() / seconds) * seconds
    moments = [start + index * seconds for index in range(int((last.timestamp() - start) // seconds) + 1)]
    pattern = "%Y" if span >= timedelta(days=365) else "%d %b" if span >= timedelta(days=1) else "%H:%M"
    return [(datetime.fromtimestamp(moment, UTC), _label(moment, pattern)) for moment in moments]


def number(value: float | None, digits: int = 3) -> str:
    """A number for people: as many digits as say something."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    shown = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return f"{value:.2g}" if shown in {"0", "-0"} else shown


def shape(name: str, css: str, content: object = "", **places: object) -> Markup:
    """One SVG element with a class; everything is escaped."""
    attributes = Markup().join(Markup(' {}="{}"').format(key.replace("_", "-"), value) for key, value in places.items())
    return Markup('<{} class="{}"{}>{}</{}>').format(name, css, attributes, content, name)


def text(css: str, x: float, y: float, words: object, anchor: str = "start") -> Markup:
    """Words at a place."""
    return shape("text", css, words, x=x, y=y, text_anchor=anchor)


def horizontal_grid(box: Box, scale: Scale, values: Sequence[float], label: str, percent: bool = False) -> Markup:
    """Grid lines and numbers of the upright axis, its label on top."""
    left, right = box.x
    parts = []
    for value in values:
        height = scale(value)
        parts.append(shape("line", "grid", x1=left, x2=right, y1=height, y2=height))
        parts.append(text("tick", left - 7, height + 3.5, f"{value:.0%}" if percent else number(value), "end"))
    return Markup().join([*parts, text("axis-label", 4, 10, label)])


def vertical_ticks(box: Box, marks: Iterable[tuple[float, str]], label: str = "") -> Markup:
    """Numbers below the plot; `marks` are pixels with their labels."""
    bottom, _ = box.y
    left, right = box.x
    parts = [shape("line", "axis", x1=left, x2=right, y1=bottom, y2=bottom)]
    for x, words in marks:
        parts.append(shape("line", "axis", x1=x, x2=x, y1=bottom, y2=bottom + 4))
        parts.append(text("tick", x, bottom + 17, words, "middle"))
    return Markup().join([*parts, text("axis-label", (left + right) / 2, box.height - 3, label, "middle")])


def titled(picture: Markup, words: str) -> Markup:
    """A shape that says its numbers on hover."""
    return Markup("<g><title>{}</title>{}</g>").format(words, picture)


def drawing(box: Box, title: str, parts: Iterable[Markup], css: str = "") -> Markup:
    """The picture itself; `title` is read aloud."""
    return Markup(
        '<svg class="plot {}" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>'
    ).format(css, box.width, box.height, box.width, box.height, title, Markup().join(parts))


def figure(
    title: str, picture: Markup, headers: Sequence[str], rows: Sequence[Sequence[Any]], note: str = "", css: str = ""
) -> Markup:
    """A picture with its title, a note (window, source run), and its numbers as a table to open."""
    words = [shape("figcaption", "title", title), picture]
    words += [shape("p", "note", note)] if note else []
    summary = Markup("<summary>Numbers</summary>{}").format(table(headers, rows))
    return shape("figure", f"figure {css}".strip(), Markup().join([*words, shape("details", "numbers", summary)]))


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup:
    """A plain table; numbers are aligned to the right."""
    head = Markup().join(Markup("<th scope=col>{}</th>").format(words) for words in headers)
    body = Markup().join(Markup("<tr>{}</tr>").format(Markup().join(map(_cell, row))) for row in rows)
    return Markup('<div class="scroll"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>').format(
        head, body
    )


def _cell(value: Any) -> Markup:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return Markup('<td class="num">{}</td>').format(number(float(value), 4))
    return Markup("<td>{}</td>").format(NOTHING if value is None else escape(value))


def _label(moment: float, pattern: str) -> str:
    shown = datetime.fromtimestamp(moment, UTC).strftime(pattern)
    return shown.removeprefix("0") if pattern.startswith("%d") else shown
