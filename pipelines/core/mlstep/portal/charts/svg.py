"""What all pictures share: scales, ticks, axes, and the figure around them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

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
        return "–"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return f"{value:.2g}" if text in {"0", "-0"} else text


def horizontal_grid(box: Box, scale: Scale, values: Sequence[float], label: str, percent: bool = False) -> Markup:
    """Grid lines and numbers of the upright axis, its label on top."""
    left, right = box.x
    lines = [
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick" x="{}" y="{}" text-anchor="end">{}</text>'
        ).format(
            left,
            right,
            scale(value),
            scale(value),
            left - 7,
            scale(value) + 3.5,
            f"{value:.0%}" if percent else number(value),
        )
        for value in values
    ]
    name = (
        Markup('<text class="axis-label" x="{}" y="{}">{}</text>').format(4, 10, label) if label else Markup()
    )
    return Markup().join([*lines, name])


def vertical_ticks(box: Box, marks: Iterable[tuple[float, str]], label: str = "") -> Markup:
    """Numbers below the plot; `marks` are pixels with their labels."""
    bottom, _ = box.y
    left, right = box.x
    parts = [Markup('<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(left, right, bottom, bottom)]
    for x, text in marks:
        parts.append(Markup('<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(x, x, bottom, bottom + 4))
        parts.append(
            Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>').format(x, bottom + 17, text)
        )
    if label:
        parts.append(
            Markup('<text class="axis-label" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                (left + right) / 2, box.height - 3, label
            )
        )
    return Markup().join(parts)


def titled(shape: Markup, text: str) -> Markup:
    """A shape that says its numbers on hover."""
    return Markup("<g><title>{}</title>{}</g>").format(text, shape)


def drawing(box: Box, title: str, parts: Iterable[Markup], css: str = "") -> Markup:
    """The picture itself; `title` is read aloud."""
    return Markup(
        '<svg class="plot {}" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>'
    ).format(css, box.width, box.height, box.width, box.height, title, Markup().join(parts))


def figure(
    title: str, picture: Markup, headers: Sequence[str], rows: Sequence[Sequence[Any]], note: str = "", css: str = ""
) -> Markup:
    """A picture with its title, a note (window, source run), and its numbers as a table to open."""
    return Markup(
        '<figure class="figure {}"><figcaption>{}</figcaption>{}{}<details class="numbers"><summary>Numbers</summary>{}</details></figure>'
    ).format(css, title, picture, Markup('<p class="note">{}</p>').format(note) if note else "", table(headers, rows))


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup:
    """A plain table; numbers are aligned to the right."""
    head = Markup().join(Markup("<th scope=col>{}</th>").format(text) for text in headers)
    body = Markup().join(Markup("<tr>{}</tr>").format(Markup().join(map(_cell, row))) for row in rows)
    return Markup('<div class="scroll"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>').format(
        head, body
    )


def _cell(value: Any) -> Markup:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return Markup('<td class="num">{}</td>').format(number(float(value), 4))
    return Markup("<td>{}</td>").format("–" if value is None else escape(value))


def _label(moment: float, pattern: str) -> str:
    text = datetime.fromtimestamp(moment, UTC).strftime(pattern)
    return text.removeprefix("0") if pattern.startswith("%d") else text
