"""An alert about the champion forbids promotions, unless the candidate is what ends it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlstep import history
from mlstep.alerts import intake
from mlstep.canonical import read_json
from mlstep.errors import RefusedError
from mlstep.platform import Platform, load
from mlstep_promote.candidate import find
from mlstep_promote.promote import promote
from tests.unit.promote.conftest import make_run
from tests.unit.promote.test_refusals import signed

SIGNALS = Path(__file__).parents[3] / "pipelines" / "signals.yaml"
GROUP = "age_band=18-25"


def ratio(low: float) -> dict[str, Any]:
    """A fairness report that decides one group, with this lower bound."""
    interval = {"value": low + 0.05, "low": low, "high": low + 0.1}
    groups = [
        {"group": "18-25", "decidable": True, "approval_rate_ratio": interval},
        {"group": "26+", "decidable": False},
    ]
    return {"smallest_ratio": 0.8, "columns": {"age_band": {"groups": groups}}}


@pytest.fixture
def watched(where: Platform) -> Platform:
    """A platform with monitors, whose champion is version 1."""
    content = {"contract_version": 1, "signals": str(SIGNALS)}
    (where.root / "platform" / "monitoring.json").write_text(json.dumps(content), encoding="utf-8")
    found = load(where.root)
    make_run(found)
    promote(found, signed(found))
    return found


def ring(where: Platform, signal: str, subject: str = "", status: str = "firing", model: str = "credit") -> None:
    """Let the receiver hear of an alert."""
    alert = {
        "status": status,
        "fingerprint": f"{signal}{subject}{model}",
        "labels": {"signal": signal, "model": model, "subject": subject},
        "annotations": {},
        "startsAt": "2026-01-01T00:00:00Z",
    }
    intake.remember(where.root, [alert], datetime(2026, 1, 2, tzinfo=UTC))


def refused(where: Platform) -> str:
    """Why version 2 cannot be signed; nothing was promoted."""
    with pytest.raises(RefusedError) as refusal:
        signed(where, 2)
    assert len(history.read(where, "credit")) == 1
    return str(refusal.value)


def test_a_fairer_model_ends_the_alert(watched: Platform) -> None:
    """Judged on other rows, with the group's lower bound at the limit, the candidate is promoted."""
    make_run(watched, 2, "02RUN", rows="new", fairness_report=json.dumps(ratio(0.8)))
    ring(watched, "fairness", GROUP)
    assert promote(watched, signed(watched, 2)).version == 2


@pytest.mark.parametrize(
    ("rows", "report", "why"),
    [
        ("rows", ratio(0.85), "judged on the rows that the champion passed on"),
        ("new", ratio(0.79), "may be as low as 0.790, below 0.8"),
        ("new", {"smallest_ratio": 0.8, "columns": {}}, "does not decide that group"),
    ],
)
def test_nothing_shows_that_it_is_fairer(watched: Platform, rows: str, report: dict[str, Any], why: str) -> None:
    """The champion's own rows, a low bound, or a group not judged: no promotion, with alert and group named."""
    make_run(watched, 2, "02RUN", rows=rows, fairness_report=json.dumps(report))
    ring(watched, "fairness", GROUP)
    said = refused(watched)
    assert f"alert fairness ({GROUP}) is on" in said
    assert why in said


def test_a_group_that_nobody_decided(watched: Platform) -> None:
    """A second alert about a group too small in the candidate's report stops it, though the first would not."""
    make_run(watched, 2, "02RUN", rows="new", fairness_report=json.dumps(ratio(0.9)))
    ring(watched, "fairness", GROUP)
    ring(watched, "fairness", "age_band=26+")
    said = refused(watched)
    assert "26+" in said
    assert GROUP not in said


def test_integrity_waits_for_people(watched: Platform) -> None:
    """No report of a candidate answers the question why the champion's bytes do not verify."""
    make_run(watched, 2, "02RUN", rows="new", fairness_report=json.dumps(ratio(0.9)))
    ring(watched, "integrity")
    assert "alert integrity is on" in refused(watched)


def test_alert_that_came_after_the_signature(watched: Platform) -> None:
    """Promotion looks again."""
    make_run(watched, 2, "02RUN")
    words = signed(watched, 2)
    ring(watched, "fairness", GROUP)
    with pytest.raises(RefusedError, match="alert fairness"):
        promote(watched, words)
    assert len(history.read(watched, "credit")) == 1


def test_alerts_that_do_not_matter(watched: Platform) -> None:
    """What ended, what is about another model, and what forbids nothing leave the way free."""
    make_run(watched, 2, "02RUN")
    ring(watched, "fairness", GROUP)
    ring(watched, "fairness", GROUP, status="resolved")
    ring(watched, "fairness", GROUP, model="other")
    ring(watched, "feature_drift", "income")
    assert promote(watched, signed(watched, 2)).version == 2


def test_rows_are_told_apart_by_their_digest(watched: Platform) -> None:
    """The fixture is honest: `rows` changes what the ingest's manifest says."""
    one, two = (find(watched, "credit", 1), make_run(watched, 2, "02RUN", rows="new"))
    files = [folder / "ingest/data/manifest.json" for folder in (one.folder, two.folder)]
    assert read_json(files[0])["digest"] != read_json(files[1])["digest"]
