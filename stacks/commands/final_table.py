"""The last lines of `strata up`: what runs and where, the champion, the policy verdict, what to try next."""

from __future__ import annotations

import json
import os
import tempfile
from typing import TYPE_CHECKING, Any

from stacks.commands import platform_files
from stacks.commands.ui import table

if TYPE_CHECKING:
    from stacks.commands.engine import Engine
    from stacks.commands.events import Outcome
    from stacks.commands.first_run import FirstRun
    from stacks.commands.ui import Screen
    from stacks.record import Record


def policy_verdict(screen: Screen, record: Record, engine: Engine) -> dict[str, Any]:
    """Judge what was built, show the verdict in one line, keep it for the portal, and return the report."""
    from stacks.commands.policy import judge

    with screen.running("policies") as progress:
        report = judge(engine)
        _keep_for_portal(record, report)
        seconds = progress.seconds
    clean = not report["blocking"] and not any(report["summary"][key] for key in ("fail", "error", "undetermined"))
    screen.done("policies", report["line"], seconds, warn=not clean)
    return report


def _keep_for_portal(record: Record, report: dict[str, Any]) -> None:
    """Write the report where the portal's page of verdicts looks for it, whole or not at all."""
    folder = record.root / "site"
    folder.mkdir(mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".policy.", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    os.replace(temporary, folder / "policy.json")


def show(screen: Screen, record: Record, outcome: Outcome, report: dict[str, Any], first: FirstRun | None) -> None:
    """Write the final table; everything in it was read from what was built."""
    from stacks.commands.platform import as_json

    addresses = platform_files.addresses(record)
    champions = first.champions if first else platform_files.champions(record)
    screen.say()
    for line in table([(name, url, note) for name, url, note in addresses]):
        screen.say(line)
    for champion in champions:
        screen.say(f" Champion    {champion.sentence()}")
    screen.say(f" Policy      {report['line']}")
    screen.say()
    for line in next_lines(record, first):
        screen.say(line)
    screen.result(
        {
            "stack": record.stack_name,
            "platform": as_json(outcome),
            "policy": report["summary"],
            "addresses": {name.lower(): url for name, url, _ in addresses},
            "champions": [champion.as_json() for champion in champions],
            "first_answer": first.answer if first else None,
        }
    )


def next_lines(record: Record, first: FirstRun | None) -> list[str]:
    """Return three commands to try, with what this platform really has in them."""
    stack = "" if record.stack_name == "demo-dev" else f" --stack {record.stack_name}"
    request = first.request_id if first else None
    rows = []
    if request:
        rows.append((f"strata trace {request}{stack}", "who, what and which data is behind that answer"))
    else:
        rows.append((f"strata status{stack}", "what was configured and what is really reached"))
    if record.stage >= 3:
        rows.append((f"strata drift demo{stack}", "let the world change, and watch it retrain"))
    elif record.file.pipelines:
        rows.append((f"strata run {record.file.pipelines[0].name}{stack}", "train a candidate"))
    rows.append((f"strata down {record.stack_name}", "stop everything (data stays; --purge removes it)"))
    labelled = [("Next:" if index == 0 else "     ", *row) for index, row in enumerate(rows)]
    return table(labelled, gap=2)
