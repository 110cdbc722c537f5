"""Guards of retraining: the whole table, one row a situation."""

from datetime import UTC, datetime, timedelta

import pytest

from mlstep.alerts.guards import Limits, Situation, limits, refusals

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIMITS = Limits(cool_down_hours=24, maximum_runs_per_week=2)


def ago(*hours: float) -> tuple[datetime, ...]:
    """Moments so many hours before now."""
    return tuple(NOW - timedelta(hours=one) for one in hours)


CASES = [
    ("alert, nothing before", {}, []),
    ("no alert", {"alerts": ()}, ["no alert"]),
    ("a person asks, no alert", {"alerts": (), "manual": True}, []),
    ("frozen", {"frozen": "audit"}, ["frozen: audit"]),
    ("a person asks, frozen", {"frozen": "audit", "manual": True}, ["frozen: audit"]),
    ("a run is going on", {"running": "01J by scheduler"}, ["a run is in progress: 01J by scheduler"]),
    ("started an hour ago", {"started": ago(1)}, ["cool-down: the last retraining started 60 min ago"]),
    ("started just within the cool-down", {"started": ago(23.9)}, ["cool-down"]),
    ("started a day ago", {"started": ago(24)}, []),
    ("a person asks within the cool-down", {"started": ago(1), "manual": True}, ["cool-down"]),
    ("twice this week", {"started": ago(100, 30)}, ["2 retraining runs in the last seven days, at most 2"]),
    ("once this week, once before", {"started": ago(169, 30)}, []),
    (
        "everything at once",
        {"frozen": "x", "alerts": (), "running": "r", "started": ago(2, 1)},
        ["frozen", "no alert", "run is", "cool", "2 re"],
    ),
]


@pytest.mark.parametrize(
    ("change", "expected"), [pytest.param(change, expected, id=name) for name, change, expected in CASES]
)
def test_the_table(change: dict[str, object], expected: list[str]) -> None:
    """Each situation is refused for exactly its reasons, all of them at once."""
    usual: dict[str, object] = {
        "now": NOW,
        "started": (),
        "running": None,
        "frozen": None,
        "alerts": ("feature_drift",),
        "manual": False,
    }
    reasons = refusals(Situation(**{**usual, **change}), LIMITS)  # type: ignore[arg-type]
    assert len(reasons) == len(expected)
    assert all(part in reason for part, reason in zip(expected, reasons, strict=True))


def test_the_record_wins_over_the_file() -> None:
    """What the record says counts; what it leaves open comes from signals.yaml."""
    assert limits({"cool_down_hours": 1}, 24, 3) == Limits(1.0, 3)
    assert limits({}, 24, 3) == Limits(24.0, 3)


def test_a_week_without_runs_allowed() -> None:
    """A maximum of none refuses always."""
    situation = Situation(NOW, (), None, None, ("feature_drift",), False)
    assert refusals(situation, Limits(0, 0)) == ["0 retraining runs in the last seven days, at most 0"]
