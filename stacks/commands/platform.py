"""`strata preview`, `up` and `down`: one stack, through the engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stacks.commands.options import DEFAULT_STACK, JsonOption, StackOption

if TYPE_CHECKING:
    from stacks.commands.engine import Engine
    from stacks.commands.events import Outcome
    from stacks.commands.ui import Screen
    from stacks.record import Record

StackArgument = Annotated[
    str | None, typer.Argument(metavar="[STACK]", help="Stack; the same as --stack.", show_default=False)
]
AllowOption = Annotated[
    list[str] | None,
    typer.Option("--allow", help="Name of a store that may be deleted or replaced; repeatable.", metavar="STORE"),
]


def preview(
    name: StackArgument = None,
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Show what `strata up` would do; change nothing.

    Example: strata preview demo-dev
    """
    from stacks.commands.engine import Engine
    from stacks.commands.open_record import open_record
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), open_record(name or stack)
    outcome = plan(screen, Engine(chosen))
    for step in outcome.steps:
        screen.say(f"   {step.line()}")
    tell_findings(screen, outcome)
    screen.say(f" {outcome.sentence()}")
    screen.result({"stack": chosen.stack_name} | as_json(outcome))


def up(
    name: StackArgument = None,
    data: Annotated[Path | None, typer.Option(help="CSV or Parquet file to train on.")] = None,
    contract: Annotated[Path | None, typer.Option(help="Data contract of that file.")] = None,
    no_pipeline: Annotated[bool, typer.Option("--no-pipeline", help="Build the platform and train nothing.")] = False,
    allow: AllowOption = None,
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Build the platform that the record describes.

    Without a champion it also trains, signs (demo key) and serves a first model. Safe to repeat: the second time it
    changes nothing and says so.

    Example: strata up demo-dev
    """
    from stacks.commands import final_table, first_run
    from stacks.commands.engine import Engine
    from stacks.commands.open_record import open_record
    from stacks.commands.preparation import prepare
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), open_record(name or stack)
    rows = first_run.rows_of_the_user(data, contract)
    engine = Engine(chosen)
    prepare(screen, chosen)
    outcome = build(screen, chosen, engine, allow or [])
    verdict = final_table.policy_verdict(screen, chosen, engine)
    model = None if no_pipeline else first_run.ensure_champion(screen, chosen, rows)
    final_table.show(screen, chosen, outcome, verdict, model)


def down(
    name: StackArgument = None,
    purge: Annotated[bool, typer.Option("--purge", help="Remove the data too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before data is removed.")] = False,
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Stop everything; data stays unless --purge is given.

    Example: strata down demo-dev
    """
    from stacks.commands.engine import Engine
    from stacks.commands.open_record import open_record
    from stacks.commands.purging import confirm, purge_folder
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), open_record(name or stack)
    engine = Engine(chosen)
    if purge:
        # Asked before anything is stopped: a no must change nothing.
        confirm(screen, chosen, yes)
    with screen.running(f"platform {chosen.stack_name}") as progress:
        engine.recover(progress.update)
        outcome = engine.destroy(progress.update)
    screen.done(f"platform {chosen.stack_name}", f"{outcome.deleted} resources removed", outcome.seconds)
    removed = 0
    if purge:
        removed = purge_folder(screen, chosen)
        engine.forget()
    elif chosen.root.exists():
        screen.say(f"   data stays in {chosen.root}; remove it with: strata down {chosen.stack_name} --purge")
    screen.result({"stack": chosen.stack_name, "removed_bytes": removed} | as_json(outcome))


def plan(screen: Screen, engine: Engine) -> Outcome:
    """Preview with a live line."""
    with screen.running(f"preview {engine.stack_name}") as progress:
        progress.update("asking the engine")
        return engine.preview(progress.quiet)


def build(screen: Screen, record: Record, engine: Engine, allowed: list[str]) -> Outcome:
    """Bring the stack to what the record says, and nothing that loses a store unless it was named.

    Raises:
        Failure: a port is taken, a store would be lost, or the engine refuses.
    """
    from stacks.commands.guards import refuse_loss, refuse_taken_ports

    label = f"platform {engine.stack_name}"
    refuse_taken_ports(record)
    with screen.running(label) as progress:
        existing = engine.recover(progress.update)
        if existing:
            # What is there is compared first: nothing to do is the usual case, and a loss is refused before it happens.
            outcome = engine.preview(progress.quiet)
            if outcome.changes == 0:
                outcome.seconds = progress.seconds
                screen.done(label, f"{outcome.resources} resources, 0 changes", progress.seconds)
                return outcome
            refuse_loss(outcome, existing, allowed)
        outcome = engine.up(progress.update)
        outcome.seconds = progress.seconds
    text = f"{outcome.resources} resources: {stage_names(record)}"
    if existing:
        text = f"{outcome.resources} resources: {outcome.sentence()}"
    screen.done(label, text, outcome.seconds)
    tell_findings(screen, outcome)
    return outcome


def stage_names(record: Record) -> str:
    """Return the stages of a record in words."""
    return ", ".join(("registry", "pipelines", "monitoring", "features")[: record.stage])


def tell_findings(screen: Screen, outcome: Outcome) -> None:
    """Show advisory findings; mandatory ones have stopped the command."""
    undecided = sorted({finding.control for finding in outcome.findings if finding.is_undecided})
    if undecided:
        screen.done("policy", f"{', '.join(undecided)}: decided once values are known, with the update", warn=True)
    for finding in outcome.findings:
        if finding.is_undecided:
            continue
        screen.done(f"policy {finding.control}", f"{finding.level}  {finding.resource}", warn=True)
        for line in finding.lines()[1:]:
            screen.say(f"     {line}")


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain data."""
    return {
        "add": outcome.added,
        "change": outcome.changed,
        "replace": outcome.replaced,
        "delete": outcome.deleted,
        "resources": outcome.resources,
        "seconds": round(outcome.seconds, 3),
        "steps": [step.as_json() for step in outcome.steps],
        "findings": [finding.as_json() for finding in outcome.findings],
    }
