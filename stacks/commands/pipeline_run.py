"""A pipeline run, shown while it happens: steps with their decisions, a bar for the one that is running."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from stacks.commands.ui import Progress

MARKS = {"pass": "✓", "warn": "!", "fail": "✗", "crash": "✗"}
BAR_WIDTH = 10


@dataclass
class RunView:
    """What is known of a run from its events so far."""

    run: str = ""
    steps: dict[str, str] = field(default_factory=dict)
    """Step name -> decision, in the order in which they finished."""
    seconds: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    run_reasons: list[str] = field(default_factory=list)
    """Why the run as a whole is no good, as the engine sums it up."""
    state: str = ""
    """passed, failed, crashed or stopped; empty until the run has finished."""
    total_seconds: float = 0.0
    candidate: dict[str, Any] | None = None
    """Model, version and digest of what the run registered."""
    features: dict[str, Any] | None = None
    """How the feature store took the run's snapshot; None where there is no feature store."""
    _running: dict[str, str] = field(default_factory=dict)

    def take(self, event: dict[str, Any]) -> None:
        """Add one event of `mlstep run --events`; kinds that are not known change nothing."""
        self.run = str(event.get("run") or self.run)
        step = str(event.get("step") or "")
        kind = event["type"]
        if kind == "step-started":
            self._running[step] = step
        elif kind == "step-progress":
            self._running[step] = (
                f"{step} {bar(event.get('done'), event.get('total'))} {event.get('label') or ''}".strip()
            )
        elif kind == "step-retried":
            self._running[step] = f"{step} crashed, trying again"
        elif kind == "step-finished":
            self._running.pop(step, None)
            self.steps[step] = str(event.get("decision") or "crash")
            self.seconds[step] = float(event.get("seconds") or 0)
            self.reasons[step] = [str(reason) for reason in event.get("reasons") or []]
        elif kind == "run-finished":
            self.state = str(event["state"])
            self.total_seconds = float(event.get("seconds") or 0)
            self.candidate = event.get("candidate")
            self.run_reasons = [str(reason) for reason in event.get("reasons") or []]
        elif kind == "features-refreshed":
            self.features = {"state": str(event["state"]), "reasons": [str(reason) for reason in event["reasons"]]}

    def line(self) -> str:
        """Return the run as one line: finished steps with marks, then what is running."""
        done = [f"{step} {MARKS.get(decision, '?')}" for step, decision in self.steps.items()]
        return " ".join([*done, *self._running.values()])

    def failure_reasons(self) -> list[str]:
        """Return why the run is no good: what the gate said first, then the steps."""
        return sorted(self.run_reasons, key=lambda reason: not reason.startswith("gate: "))

    def as_json(self) -> dict[str, Any]:
        """Return the run as plain data."""
        steps = [
            {"step": step, "decision": decision, "seconds": self.seconds[step], "reasons": self.reasons[step]}
            for step, decision in self.steps.items()
        ]
        return {
            "run": self.run,
            "state": self.state,
            "seconds": self.total_seconds,
            "candidate": self.candidate,
            "features": self.features,
            "steps": steps,
            "reasons": self.failure_reasons(),
        }


def follow(view: RunView, events: Iterable[dict[str, Any]], progress: Progress) -> None:
    """Show a run until it ends; the view keeps what is known of it, also when somebody stops it."""
    for event in events:
        view.take(event)
        if event["type"] == "step-finished":
            step = str(event.get("step"))
            progress.update(view.line() if progress.is_live else step_line(view, step))
        elif event["type"] != "run-finished":
            progress.update(view.line(), milestone=False)


def step_line(view: RunView, step: str) -> str:
    """Return one finished step as a line of its own, for output that is not a terminal."""
    mark = MARKS.get(view.steps[step], "?")
    reasons = "; ".join(view.reasons[step]) if view.steps[step] != "pass" else ""
    return f"{mark} {step:<14}{view.seconds[step]:6.1f} s  {reasons}".rstrip()


def bar(done: Any, total: Any) -> str:
    """Return how far a step is as a bar; empty when it does not say."""
    if not isinstance(done, int | float) or not isinstance(total, int | float) or total <= 0:
        return ""
    filled = round(BAR_WIDTH * min(1.0, max(0.0, done / total)))
    return "█" * filled + "░" * (BAR_WIDTH - filled)
