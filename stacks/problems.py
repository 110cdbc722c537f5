"""What is wrong with an input: where, what was found, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that must change before the input is accepted."""

    line: int
    """1-based line in the file; 0 when the problem concerns the file as a whole."""
    column: int
    """1-based column in the file; 0 when the problem concerns the file as a whole."""
    key: str
    """Dotted path of the key, for example `data[0].contract`; empty for the file as a whole."""
    found: str
    """What was found, never a secret value."""
    remedy: str
    """What to write instead."""

    def as_json(self) -> dict[str, str | int]:
        """Return the problem as plain data, for `--json`."""
        return {"line": self.line, "column": self.column, "key": self.key, "found": self.found, "remedy": self.remedy}


def dotted(path: Sequence[str | int]) -> str:
    """Return a key path as people write it: `("data", 0, "contract")` becomes `data[0].contract`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return the known word nearest to a mistyped one, or None when none is near."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def shown(value: object, limit: int = 60) -> str:
    """Return a found value as short text, so that one long value never hides the other problems."""
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def render(label: str, problems: Sequence[Problem]) -> str:
    """Return all problems as one aligned message: `line  key.path  what was found  remedy`."""
    count = f"{len(problems)} problem" + ("" if len(problems) == 1 else "s")
    rows = [(str(p.line) if p.line else "-", p.key or "-", p.found, p.remedy) for p in sorted(problems)]
    # Beyond 52 characters a single long value would push every remedy out of sight.
    widths = [min(52, max(len(row[i]) for row in rows)) for i in range(3)] if rows else [0, 0, 0]
    lines = [f"{label}: {count}"]
    for line, key, found, remedy in rows:
        left = f"{line:>{max(3, widths[0])}}  {key:<{widths[1]}}  {found:<{widths[2]}}"
        lines.append(f"{left}  {remedy}".rstrip())
    return "\n".join(lines)
