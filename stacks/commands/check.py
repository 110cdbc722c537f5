"""`strata check`: everything that is wrong with a record, in one message, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stacks.commands.options import JsonOption


def check(
    workspace: Annotated[
        str | None,
        typer.Argument(help="Workspace, or path of a record; all workspaces when left out.", show_default=False),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Say everything that is wrong with a record.

    Example: strata check demo
    """
    from stacks import record
    from stacks.commands.ui import Screen
    from stacks.problems import render

    screen = Screen(json_output)
    results = {path: record.check(path) for path in _paths(workspace)}
    for path, problems in results.items():
        label = record.shown_path(path)
        if problems:
            screen.say(render(label, problems))
        else:
            screen.done("record", f"{label}: no problems")
    found = [
        {"file": record.shown_path(path), "problems": [problem.as_json() for problem in problems]}
        for path, problems in results.items()
    ]
    screen.result({"records": found, "problems": sum(map(len, results.values()))})
    if any(results.values()):
        raise typer.Exit(2)


def _paths(workspace: str | None) -> list[Path]:
    from stacks import record
    from stacks.commands.failure import Failure
    from stacks.problems import did_you_mean

    known = record.workspaces()
    if workspace is None:
        if not known:
            raise Failure("there is no record", "stacks/workspaces/ holds no .yaml file", "write one", exit_code=2)
        return [record.record_path(name) for name in known]
    if workspace.endswith((".yaml", ".yml")):
        return [Path(workspace).resolve()]
    path = record.record_path(workspace)
    if not path.is_file():
        near = did_you_mean(workspace, known)
        remedy = f"did you mean {near}?" if near else f"workspaces: {', '.join(known)}"
        raise Failure(f"no workspace {workspace}", f"{record.shown_path(path)} does not exist", remedy, exit_code=2)
    return [path]
