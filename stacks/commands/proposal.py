"""Propose a data contract for a file: `mlstep new-contract`, with the target column asked for when it was not given."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from stacks.commands import run_time
from stacks.commands.failure import Failure
from stacks.commands.training import existing
from stacks.commands.ui import Screen


def propose(screen: Screen, file: Path, target: str | None, output: Path | None) -> dict[str, Any]:
    """Write the proposed contract and say what to do with it.

    Raises:
        Failure: the file cannot be read, the target is not one of its columns, or the contract exists already.
    """
    source = existing(file, "file")
    written = (output or source.with_name(f"{source.name.split('.')[0]}.odcs.yaml")).expanduser().resolve()
    chosen = target or _ask(screen, source, written)
    said = run_time.local_call(["new-contract", str(source), "--target", chosen, "--output", str(written)])
    screen.done("contract", str(written))
    # The first line repeats the path, the last one names a command below `strata`.
    for line in said.splitlines()[1:-1]:
        screen.say(f" {line}")
    screen.say("   check every line, most of all roles, ranges and personal data; then:")
    screen.say(f"   make up DATA={source} CONTRACT={written}")
    return {"file": str(source), "target": chosen, "contract": str(written)}


def _ask(screen: Screen, source: Path, written: Path) -> str:
    """Ask for the column to predict; `mlstep` says which columns there are."""
    try:
        run_time.local_call(["new-contract", str(source), "--output", str(written)])
    except Failure as failure:
        if "--target" not in failure.why[0] or screen.as_json or not sys.stdin.isatty():
            raise
        for line in failure.remedy:
            screen.say(f" {line}")
    return str(typer.prompt("Which column is to be predicted?"))
