"""Commands about models: run, sign, rollback, trace, drift demo, new-contract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stacks.commands.options import DEFAULT_STACK, JsonOption, StackOption


def run(
    pipeline: Annotated[str, typer.Argument(help="Pipeline of the record.")],
    until: Annotated[str | None, typer.Option(help="Stop after this step.", metavar="STEP")] = None,
    resume: Annotated[str | None, typer.Option(help="Go on with this run from its failed step.", metavar="RUN")] = None,
    data: Annotated[Path | None, typer.Option(help="CSV or Parquet file instead of the record's source.")] = None,
    contract: Annotated[Path | None, typer.Option(help="Data contract of that file.")] = None,
    author: Annotated[str | None, typer.Option(help="Who trains; default: the current user.", metavar="WHO")] = None,
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Run a pipeline and show each step; ends with the candidate or with the reasons why there is none.

    Example: strata run credit --until evaluate
    """
    from stacks.commands.training import RunRequest, run_pipeline
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), _record(stack)
    _known_pipeline(chosen, pipeline)
    request = RunRequest(pipeline, until, resume, data, contract, author)
    view = run_pipeline(screen, chosen.root, request)
    screen.result(view.as_json() | {"finished": view.finished})
    if view.decision == "fail":
        from stacks.commands.training import gate_failure

        raise gate_failure(view, chosen.stack_name)


def sign(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    version: Annotated[str, typer.Argument(help="Version of the candidate, for example v3 or 3.")],
    role: Annotated[str, typer.Option("--as", help="Role or name of the signer.", metavar="ROLE_OR_NAME")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Show what would be approved, ask, sign its digests, and make it the champion.

    Example: strata sign credit v3 --as risk
    """
    from stacks.commands import signing
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), _record(stack)
    candidate = signing.number(version)
    summary = signing.summary(chosen.root, model, candidate, role)
    screen.say("\n".join(signing.summary_lines(summary)))
    if not yes and not signing.confirmed(screen, model, candidate):
        raise typer.Exit(1)
    promoted = signing.sign_and_promote(chosen.root, model, candidate, role)
    screen.done("promoted", signing.promoted_text(promoted))
    screen.result(promoted)


def rollback(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept in the history.")] = "",
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Return to the former champion within seconds.

    Example: strata rollback credit --reason "drift alert 17"
    """
    from stacks.commands import run_time, signing
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), _record(stack)
    arguments = ["rollback", model, "--json"]
    if reason:
        arguments += ["--reason", reason]
    with screen.running("rollback") as progress:
        answer = run_time.call(chosen.root, arguments)
        seconds = progress.seconds
    screen.done("rolled back", signing.promoted_text(answer), seconds)
    screen.result(answer)


def trace(
    prediction: Annotated[str, typer.Argument(help="Request id of an answered prediction.")],
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Show who, what and which data is behind an answered prediction, and verify every link.

    Example: strata trace 01JQ7Z4T9V3K1M5N8P2R6S0WXY
    """
    from stacks.commands import run_time

    code = run_time.show(_record(stack).root, ["trace", prediction], json_output)
    if code:
        raise typer.Exit(code)


def new_contract(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet file.")],
    target: Annotated[
        str | None, typer.Option(help="Column to predict; asked for when left out.", metavar="COL")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Propose a data contract for a file; read it, correct it, commit it.

    Example: strata new-contract rows.csv --target default
    """
    from stacks.commands.proposal import propose
    from stacks.commands.ui import Screen

    screen = Screen(json_output)
    answer: Any = propose(screen, file, target, output)
    screen.result(answer)


def drift_demo(
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Let the world change, and watch the monitor see it, the alert arrive and the retraining start.

    Example: strata drift demo
    """
    from stacks.commands.drift_view import watch
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), _record(stack)
    screen.result(watch(screen, chosen.root))


def _record(stack: str) -> Any:
    from stacks.commands.open_record import open_record

    return open_record(stack)


def _known_pipeline(chosen: Any, name: str) -> None:
    from stacks.commands.failure import Failure
    from stacks.problems import did_you_mean

    known = [pipeline.name for pipeline in chosen.file.pipelines]
    if name not in known:
        near = did_you_mean(name, known)
        remedy = f"did you mean {near}?" if near else f"pipelines: {', '.join(known) or 'none'}"
        raise Failure(
            f"no pipeline {name}", f"{chosen.stack_name} has no such pipeline in its record", remedy, exit_code=2
        )
