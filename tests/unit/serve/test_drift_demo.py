"""The drift demonstration refuses what cannot work, and tells what really happened."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mlstep import history
from mlstep.alerts import journal
from mlstep.canonical import dumps, iso, now, pretty, read_json, write_atomic
from mlstep.errors import ConfigError, RefusedError
from mlstep.platform import Platform, load
from mlstep_serve import drift_demo
from mlstep_serve.drift_watch import Watch
from tests.unit.serve.kit import MODEL


class Told:
    """Notes what the demonstration tells."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def __call__(self, event: str, text: str, facts: dict[str, Any]) -> None:
        self.events.append((event, text))
        dumps(facts)

    def of(self, event: str) -> list[str]:
        """Texts of one kind of event."""
        return [text for name, text in self.events if name == event]


@pytest.fixture
def watched(promoted: Platform) -> tuple[Watch, Told]:
    """A watch that began a minute ago, and what it tells."""
    champion = history.current(promoted, MODEL)
    assert champion is not None
    told = Told()
    return Watch(promoted, MODEL, champion, now() - timedelta(minutes=1), told), told


def window(root: Path, red: bool) -> None:
    """A closed window of the monitors."""
    reading = {"signal": "feature_drift", "subject": "income", "value": 0.9, "red": red, "detail": ""}
    stamp = iso(now())
    content = {
        "stream": "predictions", "model_digest": "d", "last_request_id": "r", "rows": 1000, "ends": stamp,
        "closed": stamp, "readings": [reading],
    }  # fmt: skip
    write_atomic(root / "metrics" / f"{MODEL}.windows.jsonl", dumps(content) + "\n")


def decide(root: Path, decision: str, reasons: list[str], run: str | None = None) -> None:
    """A decision of the receiver."""
    entry = {"time": iso(now()), "model": MODEL, "pipeline": "credit", "decision": decision, "run": run}
    journal.append(root, journal.RETRAINING, {**entry, "reasons": reasons, "reason": "income has moved"})


def test_nothing_works_without_champion_or_synthetic_rows(facts: Platform, promoted: Platform) -> None:
    """No champion, and rows of the real world: refused with what to do."""
    governance = facts.root / "platform" / "governance.json"
    content = read_json(governance)
    content["data"][0]["source"] = "rows.csv"
    write_atomic(governance, pretty(content))
    with pytest.raises(ConfigError, match=r"rows\.csv"):
        drift_demo.prepare(load(facts.root), MODEL)
    with pytest.raises(RefusedError, match="other has no champion"):
        drift_demo.prepare(promoted, "other")


def test_too_few_rows_are_refused(promoted: Platform) -> None:
    """Fewer than three windows cannot raise an alert."""
    with pytest.raises(ConfigError, match="--rows 2999 fills 2 windows of 1000"):
        drift_demo.send(drift_demo.prepare(promoted, MODEL), 2_999, 1.0, Told())


def test_a_run_is_followed_to_its_gate(promoted: Platform, watched: tuple[Watch, Told]) -> None:
    """Window, decision, gate, and the command that comes next."""
    watch, told = watched
    window(promoted.root, red=True)
    decide(promoted.root, "started", [], "r1")
    run = promoted.root / "runs" / "credit" / "r1"
    write_atomic(run / "run.json", pretty({"run": "r1", "state": "passed", "steps": {"gate": {"state": "passed"}}}))
    write_atomic(run / "gate" / "result.json", pretty({"decision": "pass", "reasons": []}))
    write_atomic(run / "register" / "candidate" / "candidate.json", pretty({"version": 2, "digest": "d"}))
    assert watch.until_done(5) == 0
    assert "feature_drift income 0.90" in told.of("window")[0]
    assert told.of("gate") == ["pass"]
    assert told.of("end")[0].endswith("Next: strata sign credit v2 --as risk")


def test_a_refusal_is_an_end(promoted: Platform, watched: tuple[Watch, Told]) -> None:
    """Guards that refuse end the demonstration with their reason; that is no failure of it."""
    watch, told = watched
    decide(promoted.root, "refused", ["cool-down: 3 h"])
    assert watch.until_done(5) == 0
    assert told.of("retraining") == ["refused: cool-down: 3 h"]


def test_an_alert_of_before_is_an_end(promoted: Platform, watched: tuple[Watch, Told]) -> None:
    """An alert that was on already is not told again, so the watch says what followed then."""
    watch, told = watched
    alert = {"signal": "feature_drift", "since": "2026-01-01T00:00:00.000Z", "began": "2026-01-01T00:00:00.000Z"}
    write_atomic(promoted.root / "metrics" / f"{MODEL}.json", pretty({"alerts": [alert]}))
    window(promoted.root, red=True)
    assert watch.until_done(5) == 0
    assert told.of("end")[0].endswith("then: no retraining was asked for")


def test_nothing_in_time_is_a_failure(watched: tuple[Watch, Told]) -> None:
    """Without any sign of the monitors the exit code says so."""
    watch, told = watched
    assert watch.until_done(0.01) == 1
    assert told.of("timeout")
