"""Remove the data of one environment on one machine: two steps, the size is shown and asked for."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import typer

from stacks.commands.failure import Failure
from stacks.commands.ui import Screen
from stacks.local_folder import folder_problem
from stacks.record import Record

MARKS = ("platform", "supervisor", "secrets")
"""Folders of which a platform folder has at least one; a folder without them is not ours to remove."""


def confirm(screen: Screen, record: Record, yes: bool, asked_for: bool = True) -> None:
    """Ask at a terminal whether the data may go. Elsewhere `--yes`, or an explicit wish (`asked_for`), is the answer.

    Raises:
        Failure: there is nobody to ask.
        typer.Exit: the answer was no.
    """
    folder = record.root
    if yes or not folder.exists():
        return
    if screen.as_json or not sys.stdin.isatty():
        if asked_for:
            return
        raise Failure("nobody to ask whether the data may be removed", remedy="add --yes", exit_code=2)
    if not typer.confirm(f"Remove {folder} ({size_bytes(folder) / 1024**2:.1f} MiB) for good?"):
        raise typer.Exit(1)


def purge_folder(screen: Screen, record: Record) -> int:
    """Remove the platform folder; return how many bytes it held.

    Raises:
        Failure: processes still run from it, or it is not a platform folder.
    """
    folder = record.root
    if not folder.exists():
        screen.done("data", f"{folder}: nothing there")
        return 0
    _refuse_foreign(folder, record)
    _refuse_running(folder, record)
    size = size_bytes(folder)
    # Write-once stores are read-only folders; their owner may still remove them.
    for path in [folder, *(Path(where) for where, _, _ in os.walk(folder))]:
        os.chmod(path, 0o700)
    shutil.rmtree(folder)
    screen.done("data", f"{folder}: {size / 1024**2:.1f} MiB removed")
    return size


def size_bytes(folder: Path) -> int:
    """Return how much the files below a folder hold; links are not followed."""
    total = 0
    for where, _, files in os.walk(folder):
        for name in files:
            total += os.lstat(os.path.join(where, name)).st_size
    return total


def _refuse_foreign(folder: Path, record: Record) -> None:
    problem = folder_problem(folder, record.repository)
    if problem:
        raise Failure(f"{folder} is not removed", problem[0], problem[1], exit_code=4)
    if folder.is_symlink() or (any(folder.iterdir()) and not any((folder / name).is_dir() for name in MARKS)):
        why = f"it holds none of the folders {', '.join(MARKS)}, or is a link"
        raise Failure(f"{folder} does not look like a platform folder", why, "remove it by hand", exit_code=4)


def _refuse_running(folder: Path, record: Record) -> None:
    from components import machine

    living = machine.processes(str(folder))
    if living:
        shown = ", ".join(str(pid) for pid in living)
        raise Failure(
            f"processes of {record.stack_name} still run",
            f"pids {shown}",
            f"strata down {record.stack_name}",
            exit_code=4,
        )
