"""Approve a candidate: show what would be signed, sign its digests, promote with the signed statement."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from stacks.commands import run_time
from stacks.commands.failure import Failure
from stacks.commands.ui import Screen, table


def number(version: str) -> str:
    """Return a version as a number: `v3` and `3` are the same.

    Raises:
        Failure: it is not a version.
    """
    text = version.removeprefix("v")
    if not text.isdigit() or int(text) < 1:
        raise Failure(f"{version} is not a version", remedy="write for example v3", exit_code=2)
    return text


def confirmed(screen: Screen, model: str, version: str) -> bool:
    """Ask whether to sign.

    Raises:
        Failure: nobody can be asked.
    """
    if screen.as_json or not sys.stdin.isatty():
        raise Failure("nobody to ask whether to sign", remedy="read the summary, then add --yes", exit_code=2)
    return typer.confirm(f"Sign {model} v{version}?")
