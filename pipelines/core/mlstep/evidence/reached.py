"""How far a platform has really come: a stage counts when its last proof is named, not when it was configured."""

from datetime import datetime
from pathlib import Path
from typing import Any

from mlstep import predictions, truths
from mlstep.alerts import journal
from mlstep.canonical import iso, read_json
from mlstep.platform import STAGES, Platform
from mlstep.runner import records

NUMBERED = [name for name in STAGES if name not in ("foundation", "governance")]


def configured(platform: Platform) -> int:
    """The stage's number that the record asks for, 0 before the first."""
    return max((NUMBERED.index(name) + 1 for name in NUMBERED if platform.has(name)), default=0)


def proofs(platform: Platform) -> list[dict[str, Any]]:
    """What each stage has shown: {stage, name, configured, reached, proofs: {what: time or None}}.

    Stage 1 counts with a logged answer, 2 with a run that ended by itself, 3 with truth joined and an alert heard,
    4 with features online and a decision about retraining.
    """
    root = platform.root
    found = [
        {"last prediction logged": _last_prediction(root)},
        {"last run that ended well": _last_run(root)},
        {"last truth joined": _last_truth(root), "last alert heard": _last_entry(root, journal.ALERTS, "received")},
        {"features online": _online(root), "last retraining decision": _last_entry(root, journal.RETRAINING, "time")},
    ]
    return [
        {
            "stage": number,
            "name": name,
            "configured": platform.has(name),
            "reached": all(shown.values()),
            "proofs": shown,
        }
        for number, (name, shown) in enumerate(zip(NUMBERED, found, strict=True), start=1)
    ]


def reached(stages: list[dict[str, Any]]) -> int:
    """The highest stage whose proofs, and those of all stages below, are there."""
    number = 0
    for stage in stages:
        if not (stage["configured"] and stage["reached"]):
            break
        number = stage["stage"]
    return number


def _last_prediction(root: Path) -> str | None:
    times = [predictions.scan(root, model)["time"].max() for model in predictions.models(root)]
    return max((iso(time) for time in times if isinstance(time, datetime)), default=None)


def _last_run(root: Path) -> str | None:
    return next(
        (str(run["ended"]) for run in records.list_runs(root, limit=200) if run["state"] in ("passed", "failed")), None
    )


def _last_truth(root: Path) -> str | None:
    times = [truths.read(root, model)["received"].max() for model in predictions.models(root)]
    return max((iso(time) for time in times if isinstance(time, datetime)), default=None)


def _last_entry(root: Path, name: str, key: str) -> str | None:
    entries = journal.read(root, name)
    return str(entries[-1][key]) if entries else None


def _online(root: Path) -> str | None:
    path = root / "features" / "materialized.json"
    if not path.is_file():
        return None
    return max((str(view["newest"]) for view in read_json(path).values() if view["newest"]), default=None)
