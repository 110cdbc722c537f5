"""When an alert, or a person, may start retraining. Every answer has a reason; every answer is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Limits:
    """What the record allows."""

    cool_down_hours: float
    maximum_runs_per_week: int


@dataclass(frozen=True)
class Situation:
    """What is known when retraining is asked for.

    Attributes:
        started: times of earlier retraining runs of this pipeline.
        running: the run that holds the pipeline now, or None.
        frozen: why retraining is frozen, or None.
        alerts: signals of this model that are on and ask for retraining.
        manual: whether a person asked, who needs no alert.
    """

    now: datetime
    started: tuple[datetime, ...]
    running: str | None
    frozen: str | None
    alerts: tuple[str, ...]
    manual: bool


def refusals(situation: Situation, limits: Limits) -> list[str]:
    """Why retraining may not start; an empty list when it may."""
    now = situation.now
    reasons = []
    if situation.frozen is not None:
        reasons.append(f"frozen: {situation.frozen}")
    if not situation.manual and not situation.alerts:
        reasons.append("no alert that asks for retraining is on")
    if situation.running is not None:
        reasons.append(f"a run is in progress: {situation.running}")
    if situation.started:
        free = max(situation.started) + timedelta(hours=limits.cool_down_hours)
        if now < free:
            reasons.append(
                f"cool-down: the last retraining started {_ago(now - max(situation.started))} ago, "
                f"the next may after {limits.cool_down_hours:g} h"
            )
    recent = [start for start in situation.started if now - start < _WEEK]
    if len(recent) >= limits.maximum_runs_per_week:
        reasons.append(f"{len(recent)} retraining runs in the last seven days, at most {limits.maximum_runs_per_week}")
    return reasons


def limits(configured: dict[str, Any], cool_down_hours: float, maximum_runs_per_week: int) -> Limits:
    """The record's limits; what it does not say is taken from `signals.yaml`."""
    return Limits(
        float(configured.get("cool_down_hours", cool_down_hours)),
        int(configured.get("maximum_runs_per_week", maximum_runs_per_week)),
    )


def _ago(duration: timedelta) -> str:
    minutes = int(duration.total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
