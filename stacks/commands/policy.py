"""`strata policy check`: every control of the catalogue against what is really built."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import typer

from stacks.commands.failure import Failure
from stacks.commands.options import DEFAULT_STACK, JsonOption, StackOption

if TYPE_CHECKING:
    from stacks.commands.engine import Engine
    from stacks.commands.ui import Screen

REFUSED = 1
"""Exit code of the report when a mandatory control fails."""


def check(stack: StackOption = DEFAULT_STACK, json_output: JsonOption = False) -> None:
    """Judge the stack's state by every control: verdicts, remedies, and what could not be determined.

    Example: strata policy check --stack demo-dev
    """
    from stacks.commands.engine import Engine
    from stacks.commands.open_record import open_record
    from stacks.commands.ui import Screen

    screen, chosen = Screen(json_output), open_record(stack)
    engine = Engine(chosen)
    with screen.running("policies"):
        report = judge(engine)
    tell(screen, report)
    screen.result(report)
    if report["blocking"]:
        raise typer.Exit(4)


def judge(engine: Engine) -> dict[str, Any]:
    """Return the policy report on a stack's state; the pack runs in its own environment.

    Raises:
        Failure: nothing is built, or the catalogue or a rule is not valid.
    """
    python = engine.repository / "policies" / ".venv" / "bin" / "python"
    # Encrypted values would leave controls on credentials undetermined. They go through a pipe, never to a file.
    deployment = engine.state(decrypted=True)
    state = {"version": 3, "deployment": deployment}
    if not deployment.get("resources"):
        raise Failure(f"{engine.stack_name} has no resources to judge", remedy=f"strata up {engine.stack_name}")
    command = [str(python), "-m", "policies.reports", "--state", "-", "--json"]
    try:
        done = subprocess.run(
            command, input=json.dumps(state), capture_output=True, text=True, cwd=engine.repository, check=False
        )
    except FileNotFoundError:
        raise Failure("the policy pack is not installed", f"{python} is missing", "run `make up`") from None
    if done.returncode not in {0, REFUSED}:
        raise Failure("the policy pack cannot judge", done.stderr.splitlines()[-10:], "correct policies/")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def tell(screen: Screen, report: dict[str, Any]) -> None:
    """Show what is not simply right, worst and most severe first, then every other control in one line each."""
    order = ["error", "fail", "undetermined", "excepted", "pass", "not applicable"]
    severities = ["critical", "high", "medium", "low"]
    controls = sorted(
        report["controls"],
        key=lambda entry: (order.index(entry["verdict"]), severities.index(entry["severity"]), entry["id"]),
    )
    for entry in controls:
        show = screen.failed if entry["verdict"] in {"fail", "error"} else screen.done
        show(f"{entry['id']} {entry['severity']}", f"{entry['verdict']:<15} {entry['title']}")
        if entry["verdict"] in {"error", "fail", "undetermined", "excepted"}:
            for resource in entry["resources"]:
                if resource["verdict"] == entry["verdict"]:
                    texts = [finding["message"] for finding in resource["findings"]]
                    screen.say("\n".join(f"     {line}" for text in texts for line in text.splitlines()))
    screen.say(f" {report['line']}")
