"""Commands around what runs: status, logs, secret, local purge."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stacks.commands.options import DEFAULT_STACK, JsonOption, StackOption

NUMBERED = ("registry", "pipelines", "monitoring", "feature_store")
"""Stages 1 to 4; each writes a file of its own."""


def not_up(chosen: Any) -> Exception:
    """Return the failure of a command that needs a platform where there is none."""
    from stacks.commands.failure import Failure

    why = f"{chosen.root / 'platform'} does not exist"
    return Failure(f"{chosen.stack_name} is not up", why, f"strata up {chosen.stack_name}")


def status(
    name: Annotated[
        str | None, typer.Argument(metavar="[STACK]", help="Stack; the same as --stack.", show_default=False)
    ] = None,
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Say what is configured and what is really reached.

    Example: strata status demo-dev
    """
    from stacks.commands import run_time
    from stacks.commands.open_record import open_record
    from stacks.commands.ui import Screen

    chosen = open_record(name or stack)
    if not (chosen.root / "platform").is_dir():
        raise not_up(chosen)
    built = sum((chosen.root / "platform" / f"{stage}.json").is_file() for stage in NUMBERED)
    if built != chosen.stage and not json_output:
        text = f"the record says {chosen.stage}, built is {built}: strata up {chosen.stack_name}"
        Screen().done("stage", text, warn=True)
    code = run_time.show(chosen.root, ["status"], json_output)
    if code:
        raise typer.Exit(code)


def logs(
    process: Annotated[str | None, typer.Argument(help="Process; all logs are listed when left out.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines are added.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines from the end.")] = 50,
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Show the log of a process, or list the logs there are.

    Example: strata logs mlflow -f
    """
    from stacks.commands import log_files
    from stacks.commands.open_record import open_record
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), open_record(stack)
    if process is None:
        found = log_files.listing(chosen)
        screen.say("\n".join(log_files.listing_lines(found)))
        screen.result({"logs": found})
        return
    path = log_files.find(chosen, process)
    last = log_files.tail(path, lines)
    screen.say("\n".join(last))
    screen.result({"process": process, "path": str(path), "lines": last})
    if follow and not json_output:
        for line in log_files.follow(path):
            screen.say(line)


def secret(
    name: Annotated[str | None, typer.Argument(help="Name; all names are listed when left out.")] = None,
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Show one secret at a terminal.

    Example: strata secret mlflow
    """
    from stacks.commands import secret_files
    from stacks.commands.open_record import open_record
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), open_record(stack)
    if name is None:
        names = secret_files.names(chosen)
        screen.say("\n".join(names))
        screen.result({"secrets": names})
        return
    secret_files.show(screen, chosen, name)


def purge(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Remove the data of a stack that is down: shows its size and asks.

    Example: strata local purge --stack demo-dev
    """
    from stacks.commands.open_record import open_record
    from stacks.commands.purging import confirm, purge_folder
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), open_record(stack)
    confirm(screen, chosen, yes, asked_for=False)
    removed = purge_folder(screen, chosen)
    screen.result({"folder": str(chosen.root), "removed_bytes": removed})
