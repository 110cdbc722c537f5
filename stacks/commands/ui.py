"""What a person sees: marked lines, a live line while something runs, tables; or one JSON object.

With `--json` standard output holds exactly one JSON object and progress goes to standard error. NO_COLOR is honoured
by rich. Where standard output is not a terminal, the live line becomes plain lines, one per change.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.console import Console

LABEL_WIDTH = 24
TEXT_WIDTH = 48


class Screen:
    """Writes for one command, to people or as JSON."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self._console: Console | None = None

    @property
    def console(self) -> Console:
        """The console that people read; made at first use, because importing rich costs as much as a small command."""
        if self._console is None:
            from rich.console import Console

            stream = sys.stderr if self.as_json else sys.stdout
            # Wrapped lines would break copy and paste of paths and commands, so a pipe gets long lines.
            width = None if stream.isatty() else 200
            self._console = Console(file=stream, highlight=False, soft_wrap=True, width=width)
        return self._console

    def say(self, text: str = "", style: str | None = None) -> None:
        """Write one line; nothing in it is read as markup."""
        self.console.print(text, style=style, markup=False)

    def done(self, label: str, text: str, seconds: float | None = None, warn: bool = False) -> None:
        """Write the line of something that is finished."""
        self._marked("!" if warn else "✓", "yellow" if warn else "green", label, text, seconds)

    def failed(self, label: str, text: str, seconds: float | None = None) -> None:
        """Write the line of something that did not work; the block with the reasons follows."""
        self._marked("✗", "red", label, text, seconds)

    def result(self, value: Any) -> None:
        """Write the command's result, when JSON was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n")

    @contextmanager
    def running(self, label: str) -> Iterator[Progress]:
        """Show a live line while the body runs."""
        progress = Progress(self, label)
        with progress:
            yield progress

    def _marked(self, mark: str, style: str, label: str, text: str, seconds: float | None) -> None:
        from rich.text import Text

        line = Text(" ")
        line.append(mark, style=style)
        line.append(f" {label:<{LABEL_WIDTH}}")
        line.append(f"{text:<{TEXT_WIDTH}} {duration(seconds):>9}" if seconds is not None else text)
        self.console.print(line)


class Progress:
    """A line that changes while something runs; plain lines where there is no terminal."""

    def __init__(self, screen: Screen, label: str) -> None:
        self._screen = screen
        self._label = label
        self._started = time.monotonic()
        self._last = ""
        self._status: Any = None

    def __enter__(self) -> Self:
        if self._screen.console.is_terminal:
            self._status = self._screen.console.status(self._text("…"), spinner="dots")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    @property
    def is_live(self) -> bool:
        """Whether the line changes in place."""
        return self._status is not None

    @property
    def seconds(self) -> float:
        """Seconds since the line appeared."""
        return time.monotonic() - self._started

    def update(self, text: str, milestone: bool = True) -> None:
        """Show what is happening now; without a terminal only milestones are written, and each once."""
        if self._status is not None:
            self._status.update(self._text(text))
        elif milestone and text != self._last:
            self._screen.say(f" · {self._label:<{LABEL_WIDTH}}{text}")
            self._last = text

    def quiet(self, text: str, milestone: bool = False) -> None:
        """Show what is happening now, on a terminal only."""
        self.update(text, milestone=False)

    def _text(self, text: str) -> Any:
        from rich.text import Text

        return Text(f"{self._label:<{LABEL_WIDTH}}{text}")


def duration(seconds: float | None) -> str:
    """Return a time as people read it: `4 ms`, `38 s`, `3 min 10 s`."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def table(rows: Sequence[tuple[str, ...]], indent: int = 1, gap: int = 4) -> list[str]:
    """Return rows as aligned lines; the last column may be as long as it likes."""
    if not rows:
        return []
    columns = max(len(row) for row in rows)
    widths = [max((len(row[i]) for row in rows if i < len(row) - 1), default=0) for i in range(columns)]
    lines = []
    for row in rows:
        cells = [cell.ljust(widths[i]) if i < len(row) - 1 else cell for i, cell in enumerate(row)]
        lines.append((" " * indent + (" " * gap).join(cells)).rstrip())
    return lines
