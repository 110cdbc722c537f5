"""`strata drift demo`: what the run-time plane does and sees while the world changes, line by line."""

from __future__ import annotations

import json
from pathlib import Path

from stacks.commands import run_time
from stacks.commands.ui import Screen


def watch(screen: Screen, root: Path) -> int:
    """Show the demonstration as it happens, or all of it as one JSON object; return its exit code.

    Raises:
        Failure: it cannot work here, for example without a champion.
    """
    if not screen.as_json:
        return run_time.show(root, ["drift"], as_json=False)
    code, said = run_time.collect(root, ["drift", "--json"])
    screen.result({"events": [json.loads(line) for line in said.splitlines() if line.startswith("{")]})
    return code
