"""`strata drift demo`: follow what the run-time plane does and sees while the world changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stacks.commands import run_time
from stacks.commands.ui import Screen


def watch(screen: Screen, root: Path) -> list[dict[str, Any]]:
    """Show each event of the demonstration as a line and return all of them."""
    seen = []
    with screen.running("drift") as progress:
        for event in run_time.stream(root, ["drift", "--events"], last="drift-finished"):
            seen.append(event)
            progress.update(sentence(event))
            if event["type"].endswith("-finished") or event.get("milestone"):
                screen.done(
                    str(event.get("label") or event["type"]), str(event.get("text") or ""), event.get("seconds")
                )
    return seen


def sentence(event: dict[str, Any]) -> str:
    """Return an event in words."""
    return str(event.get("text") or event.get("label") or event["type"].replace("-", " "))
