"""`python -m policies.reports --state STATE.json`: judge an exported state and say what came out."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from policies import config
from policies.controls import load_catalogue
from policies.evaluate import Evaluator, load_rules
from policies.register import load_register
from policies.reports import report
from policies.source import InvalidSourceError
from policies.state import stack_of

REFUSED, INVALID = 1, 2


def judge(state: Any) -> dict[str, Any]:
    """Return the report for an exported state.

    Raises:
        InvalidSourceError: if the state, the catalogue, a rule or the register is not valid.
    """
    stack = stack_of(state)
    catalogue = load_catalogue()
    clock = config.today(os.environ)
    evaluator = Evaluator(catalogue, load_register(catalogue, clock.day), load_rules(catalogue), stack.name)
    # First everything that decides about levels, then the verdicts: the order in the state must not matter.
    for resource in stack.resources:
        evaluator.learn(resource)
    for resource in stack.resources:
        evaluator.check_resource(resource)
    evaluator.check_stack(stack)
    return report.build(evaluator, clock, preview=False)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if nothing would be refused, 1 if something would, 2 if the input is not valid."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.reports", description="Judge an exported state without the engine."
    )
    parser.add_argument("--state", required=True, help="file written by `pulumi stack export`, or - for standard input")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of a table")
    parser.add_argument("--out", type=Path, help="folder that receives report.json and report.txt")
    chosen = parser.parse_args(arguments)
    try:
        content = judge(_read(chosen.state))
    except InvalidSourceError as error:
        print(error, file=sys.stderr)
        return INVALID
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        report.write(chosen.out / "report.json", report.as_json(content))
        report.write(chosen.out / "report.txt", report.as_table(content))
    print(report.as_json(content) if chosen.json else report.as_table(content), end="")
    return REFUSED if content["blocking"] else 0


def _read(name: str) -> Any:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return json.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidSourceError([f"{name}: {error}; write the state with `pulumi stack export`"]) from None


if __name__ == "__main__":
    sys.exit(main())
