"""Alerts in, mails out, retraining within its guards; every decision is kept."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from mlstep import platform
from mlstep.alerts import app, journal, retraining
from mlstep.canonical import now, write_atomic
from mlstep.errors import UnavailableError
from mlstep.monitoring import evaluate, notify, state
from mlstep.monitoring.signals import Signals
from mlstep.platform import Platform
from tests.unit.monitoring.conftest import START
from tests.unit.serve import kit

MINUTE = timedelta(minutes=1)


class Scheduler:
    """Takes runs in the place of the scheduler's HTTP interface."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.down = False

    def __call__(self, url: str, token: str, content: dict[str, Any]) -> dict[str, Any]:
        if self.down:
            raise UnavailableError("the scheduler does not answer", "start it")
        assert token == "token-of-pipeline"
        self.runs.append(content)
        return {"run": f"run-{len(self.runs)}"}


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler()


@pytest.fixture
def post(facts: Platform, watched: Signals, answer: Callable[..., Any]) -> dict[str, Any]:
    """What the monitors post after two drifted windows."""
    for number in range(2):
        answer(1_000, START + number * MINUTE, 1, seed=80 + number)
    found = evaluate.evaluate(facts, kit.MODEL, watched, state.ModelState(), START + 2 * MINUTE)
    notify.collect(facts, found, watched)
    (payload,) = found.state.waiting
    return payload


def decisions(root: Path) -> list[str]:
    """What was decided, oldest first."""
    return [entry["decision"] for entry in journal.read(root, journal.RETRAINING)]


def test_an_alert_becomes_a_mail_and_a_run(facts: Platform, post: dict[str, Any], scheduler: Scheduler) -> None:
    """The owner is told what, how large, since when and what to do; the run reads the changed source."""
    write_atomic(facts.root / "sources" / "applications.json", '{"source": "synthetic:credit?drift=1"}')
    answered = app.take_alerts(facts.root, post, START, scheduler)
    mail = message_from_bytes(next((facts.root / "alerts" / "outbox").glob("*.eml")).read_bytes(), policy=default)
    assert mail["To"] == "owner@bank.example"
    text = mail.get_content()
    for part in (
        "credit v1",
        "feature   income",
        "threshold: above 0.2",
        "since     2100-03-02T12:00",
        "docs/runbooks/",
    ):
        assert part in text
    (run,) = scheduler.runs
    assert run["parameters"] == {"source": "synthetic:credit?drift=1"}
    assert (run["pipeline"], run["author"]) == ("credit", "retraining")
    assert answered["retraining"][0]["run"] == "run-1"
    assert decisions(facts.root) == ["started"]


def test_the_same_post_twice_is_one_mail(facts: Platform, post: dict[str, Any], scheduler: Scheduler) -> None:
    """A repeated delivery is no news; a resolved alert is."""
    app.take_alerts(facts.root, post, START, scheduler)
    again = app.take_alerts(facts.root, post, START + MINUTE, scheduler)
    assert (again["news"], again["mails"], len(scheduler.runs)) == (0, [], 1)
    resolved = {**post, "alerts": [{**alert, "status": "resolved"} for alert in post["alerts"]]}
    assert len(app.take_alerts(facts.root, resolved, START + 2 * MINUTE, scheduler)["mails"]) == 1


def test_a_refusal_is_kept_and_asked_again(facts: Platform, post: dict[str, Any], scheduler: Scheduler) -> None:
    """Frozen: refused with the reason; asked again it is kept once; unfrozen it starts."""
    retraining.freeze(facts.root, "audit", "me", START)
    app.take_alerts(facts.root, post, START, scheduler)
    (entry,) = journal.read(facts.root, journal.RETRAINING)
    assert entry["reasons"][0].startswith("frozen: audit (me")
    retraining.ask_again(facts.root, scheduler, START + MINUTE)
    assert decisions(facts.root) == ["refused"]
    assert retraining.unfreeze(facts.root)
    retraining.ask_again(facts.root, scheduler, START + 2 * MINUTE)
    assert decisions(facts.root) == ["refused", "started"]
    retraining.ask_again(facts.root, scheduler, START + 3 * MINUTE)
    assert len(scheduler.runs) == 1


def test_a_scheduler_that_is_down_is_asked_again(facts: Platform, post: dict[str, Any], scheduler: Scheduler) -> None:
    """No answer is a failure, not a refusal, and does not use up the cool-down."""
    scheduler.down = True
    app.take_alerts(facts.root, post, START, scheduler)
    scheduler.down = False
    retraining.ask_again(facts.root, scheduler, START + MINUTE)
    assert decisions(facts.root) == ["failed", "started"]


def test_before_stage_four_nothing_retrains(facts: Platform, post: dict[str, Any], scheduler: Scheduler) -> None:
    """Without the trigger an alert is a mail only, and the decision says so."""
    (facts.root / "platform" / "feature_store.json").unlink()
    app.take_alerts(facts.root, post, START, scheduler)
    assert (scheduler.runs, decisions(facts.root)) == ([], ["refused"])


def test_tokens_and_shapes_over_http(facts: Platform, post: dict[str, Any], scheduler: Scheduler) -> None:
    """Only the named identities get in; a post of another shape is refused with all problems."""
    with TestClient(app.build(facts.root, now, scheduler)) as client:
        serve = {"Authorization": "Bearer token-of-serve"}
        assert client.get("/healthz").json() == {"frozen": None, "status": "ok"}
        assert client.post("/alerts", json=post).status_code == 401
        assert (
            client.post("/alerts", json=post, headers={"Authorization": "Bearer token-of-develop"}).status_code == 401
        )
        assert client.post("/alerts", json=post, headers=serve).status_code == 202
        wrong = client.post("/alerts", json={"version": "3", "alerts": [{"status": "odd"}]}, headers=serve)
        assert wrong.status_code == 422
        for part in ("version: '3'", "alerts[0].labels: missing", "alerts[0].status: 'odd'"):
            assert part in wrong.json()["error"]
        assert client.post("/truth", content=b"{", headers=serve).status_code == 400
        assert client.post("/truth", json={"request_id": "x"}, headers=serve).status_code == 422
        assert client.post("/retrain", json={"model": "credit", "reason": "new"}, headers=serve).status_code == 401
        pipeline = {"Authorization": "Bearer token-of-pipeline"}
        asked = client.post("/retrain", json={"model": "credit", "reason": "new"}, headers=pipeline)
        assert asked.json()["reasons"] == [] or "cool-down" in asked.json()["reasons"][0]
        assert client.post("/retrain", json={"model": "credit"}, headers=pipeline).status_code == 422


def test_what_was_not_delivered_waits(facts: Platform, watched: Signals, answer: Callable[..., Any]) -> None:
    """A receiver that does not answer gets the post in a later round, once, and nothing is told twice."""
    for number in range(2):
        answer(1_000, START + number * MINUTE, 1, seed=90 + number)
    remembered, told = state.ModelState(), []

    def down(*_: object) -> None:
        raise UnavailableError("no answer", "")

    def round_at(moment: datetime, deliver: Callable[..., None]) -> None:
        found = evaluate.evaluate(platform.load(facts.root), kit.MODEL, watched, remembered, moment)
        notify.collect(facts, found, watched)
        notify.deliver(facts, found, deliver)

    round_at(START + 2 * MINUTE, down)
    round_at(START + 3 * MINUTE, down)
    assert len(remembered.waiting) == 1
    round_at(START + 4 * MINUTE, lambda *call: told.append(call))
    round_at(START + 5 * MINUTE, lambda *call: told.append(call))
    assert len(told) == 1
    round_at(START + timedelta(hours=25), lambda *call: told.append(call))
    assert len(told) == 2


def test_labels_cannot_add_headers(facts: Platform, post: dict[str, Any], scheduler: Scheduler) -> None:
    """A line feed in a label stays within its header."""
    alert = post["alerts"][0]
    bad = {**alert, "labels": {**alert["labels"], "owner": "a@b.example\r\nBcc: c@d.example", "retrain": "false"}}
    app.take_alerts(facts.root, {**post, "alerts": [bad]}, START, scheduler)
    mail = message_from_bytes(next((facts.root / "alerts" / "outbox").glob("*.eml")).read_bytes())
    assert "Bcc" not in mail
