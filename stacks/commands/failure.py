"""The one block every command ends with when something fails: what, why, what to do, where the log is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class Failure(Exception):
    """A command cannot go on; everything in it is meant for the person at the terminal.

    Attributes:
        what: what failed, in one sentence.
        why: the reasons, one line each; never a secret value.
        remedy: what to do, one line each.
        log: where more is written, or None.
        exit_code: 1 failed, 2 wrong input, 3 a link does not verify, 4 refused by a rule, 75 try again later.
    """

    def __init__(
        self,
        what: str,
        why: Sequence[str] | str = (),
        remedy: Sequence[str] | str = (),
        log: Path | None = None,
        exit_code: int = 1,
    ) -> None:
        self.what = what
        self.why = _lines(why)
        self.remedy = _lines(remedy)
        self.log = log
        self.exit_code = exit_code
        super().__init__(self.block())

    def block(self) -> str:
        """Return the failure as the text shown to people."""
        rows = [
            ("✗", [self.what]),
            ("why", self.why),
            ("do", self.remedy),
            ("log", [str(self.log)] if self.log else []),
        ]
        lines = []
        for label, texts in rows:
            for index, text in enumerate(texts):
                lines.append(f" {label if index == 0 else '':<4} {text}".rstrip())
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """Return the failure as plain data, for `--json`."""
        return {
            "what": self.what,
            "why": list(self.why),
            "remedy": list(self.remedy),
            "log": str(self.log) if self.log else None,
            "exit_code": self.exit_code,
        }


def _lines(text: Sequence[str] | str) -> tuple[str, ...]:
    parts = [text] if isinstance(text, str) else list(text)
    return tuple(line for part in parts for line in part.splitlines() if line.strip())
