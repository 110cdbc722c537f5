"""When each schedule last fired, kept on disk, so that a fire missed while nothing ran is made up for once."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlstep.canonical import iso, pretty, read_json, write_atomic
from mlstep.scheduler.cron import next_fire


@dataclass(frozen=True)
class Fire:
    """The last time a schedule fired, or was first seen.

    Attributes:
        outcome: first-seen, started, busy or refused.
        run: the run it started.
    """

    pipeline: str
    schedule: str
    time: str
    outcome: str
    run: str | None = None
    reason: str = ""


def _file(root: Path, pipeline: str) -> Path:
    return root / "schedules" / f"{pipeline}.json"


def read_fire(root: Path, pipeline: str) -> Fire | None:
    """The last fire of a pipeline's schedule; None when it was never seen."""
    file = _file(root, pipeline)
    return Fire(**read_json(file)) if file.is_file() else None


def write_fire(root: Path, fire: Fire) -> None:
    """Remember a fire."""
    write_atomic(_file(root, fire.pipeline), pretty(asdict(fire)))


def is_missed(root: Path, pipeline: str, schedule: str, trigger: Any, moment: datetime) -> bool:
    """Whether at least one fire lies between the last one and now; a new or changed schedule starts counting now."""
    last = read_fire(root, pipeline)
    if last is None or last.schedule != schedule:
        write_fire(root, Fire(pipeline, schedule, iso(moment), "first-seen"))
        return False
    due = next_fire(trigger, datetime.fromisoformat(last.time))
    return due is not None and due <= moment
