"""Colour on a terminal, and only there."""

import os
import sys

_CODES = {"red": "31;1", "green": "32", "yellow": "33", "grey": "90", "bold": "1"}


def wanted() -> bool:
    """Whether standard output is a terminal and the user has not said no (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(text: str, colour: str, on: bool) -> str:
    """The text in a colour, or as it is."""
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if on else text
