"""Propose a data contract for a file: `mlstep new-contract`, with the target column asked for when it was not given."""

from __future__ import annotations

import subprocess
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
    chosen = target or _ask(screen, source)
    written = (output or source.with_suffix(".odcs.yaml")).expanduser().resolve()
    if written.exists():
        raise Failure(
            f"{written} exists", "a contract is not overwritten", "name another file with --output", exit_code=4
        )
    run_time.local_call(["new-contract", str(source), "--target", chosen, "--out", str(written)])
    screen.done("contract", str(written))
    screen.say("   read and mend it: owner, ranges, personal data, which columns are groups; then")
    screen.say(f"   make up DATA={file} CONTRACT={written}")
    return {"file": str(source), "target": chosen, "contract": str(written)}


def _ask(screen: Screen, source: Path) -> str:
    if screen.as_json or not sys.stdin.isatty():
        raise Failure(
            "no target column", "nobody to ask which column is to be predicted", "add --target COLUMN", exit_code=2
        )
    names = columns(source)
    if names:
        screen.say(f"columns: {', '.join(names)}")
    return str(typer.prompt("Which column is to be predicted?"))


def columns(source: Path) -> list[str]:
    """Return the columns of a CSV or Parquet file, read with the run-time plane's own reader; empty when it cannot."""
    python = run_time.MLSTEP.with_name("python")
    if not python.exists():
        return []
    read = "scan_parquet" if source.suffix == ".parquet" else "scan_csv"
    code = f"import sys, polars; print('\\n'.join(polars.{read}(sys.argv[1]).collect_schema().names()))"
    done = subprocess.run([str(python), "-I", "-c", code, str(source)], capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []
