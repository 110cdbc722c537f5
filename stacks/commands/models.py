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
    """Run a pipeline and show each step.

    Ends with the candidate, or with the reasons why there is none.

    Example: strata run credit --until evaluate
    """
    from stacks.commands.training import RunRequest, refused, run_pipeline
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), _record(stack)
    _known_pipeline(chosen, pipeline)
    view = run_pipeline(screen, chosen, RunRequest(pipeline, until, resume, data, contract, author))
    if view.state == "failed":
        raise refused(view, chosen, pipeline)
    if view.candidate:
        model, version = view.candidate["model"], view.candidate["version"]
        screen.done("candidate", f"{model} v{version}  sha256 {str(view.candidate['digest'])[:12]}…")
        gate = next(entry.approval_gate for entry in chosen.file.pipelines if entry.name == pipeline)
        screen.say(f"   next: strata sign {model} v{version} --as {gate} --stack {chosen.stack_name}")
    screen.result(view.as_json())


def sign(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    version: Annotated[str, typer.Argument(help="Version of the candidate, for example v3 or 3.")],
    role: Annotated[str, typer.Option("--as", help="Role or name of the signer.", metavar="ROLE_OR_NAME")],
    reason: Annotated[str, typer.Option(help="Why; it is kept in the history.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Sign a candidate's digests and make it champion.

    Shows what would be approved, and asks.

    Example: strata sign credit v3 --as risk
    """
    from stacks.commands import signing
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), _record(stack)
    candidate = signing.number(version)
    signing.show_summary(screen, chosen.root, model, candidate, role)
    if not yes and not signing.confirmed(screen, model, candidate):
        raise typer.Exit(1)
    promoted = signing.sign_and_promote(chosen.root, model, candidate, role, reason)
    signing.tell(screen, "promoted", promoted)
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
    signing.tell(screen, "rolled back", answer, seconds)
    screen.result(answer)


def trace(
    prediction: Annotated[str, typer.Argument(help="Request id of an answered prediction.")],
    stack: StackOption = DEFAULT_STACK,
    json_output: JsonOption = False,
) -> None:
    """Show everything behind an answered prediction.

    Who, what and which data; every link is verified, and a broken one ends with exit code 3.

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
    """Propose a data contract for a file.

    Read it, correct it, commit it.

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
    """Let the world change, and watch it retrain.

    The monitor sees the drift, the alert reaches the owner, retraining runs and stops at the gate.

    Example: strata drift demo
    """
    from stacks.commands.drift_view import watch
    from stacks.commands.ui import Screen

    code = watch(Screen(json_output), _record(stack).root)
    if code:
        raise typer.Exit(code)


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
