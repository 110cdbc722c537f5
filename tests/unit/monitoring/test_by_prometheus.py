"""Where Prometheus judges, the monitors measure and write rules, and tell the receiver nothing new."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mlstep.canonical import pretty, read_json, write_atomic
from mlstep.evidence import health
from mlstep.monitoring import command, notify, state
from mlstep.platform import Platform, load
from tests.unit.monitoring.conftest import START
from tests.unit.serve import kit


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is posted to the receiver, in order; the clock stands some minutes after the answers."""
    taken: list[dict[str, Any]] = []
    monkeypatch.setattr(notify, "post", lambda _url, _token, content: taken.append(content))
    monkeypatch.setattr(command, "now", lambda: START + timedelta(minutes=5))
    return taken


def choose(root: Path, **chosen: str) -> None:
    """Write the monitoring stage with the way of alerting, or without one."""
    file = root / "platform/monitoring.json"
    content = {key: value for key, value in read_json(file).items() if key != "alerting"}
    write_atomic(file, pretty({**content, **chosen}))


def drift(answer: Callable[..., Any]) -> None:
    """Two red windows."""
    for number in range(2):
        answer(1_000, START + timedelta(minutes=number), 1, seed=80 + number)


def test_alerts_are_not_posted(facts: Platform, answer: Callable[..., Any], posts: list[dict[str, Any]]) -> None:
    """The same red windows: exported in both ways, posted in the built-in way only."""
    drift(answer)
    choose(facts.root, alerting="prometheus")
    command.Alerting(facts.root).round()
    assert "feature_drift/income" in state.load(facts.root, kit.MODEL).alerts
    text = (facts.root / "metrics" / f"{kit.MODEL}.prom").read_text(encoding="utf-8")
    assert f'strata_feature_psi_red_windows{{model="{kit.MODEL}",subject="income",of="recent"}} 2' in text
    assert posts == []
    choose(facts.root)
    command.Alerting(facts.root).round()
    assert [post["status"] for post in posts] == ["firing"]


def test_what_was_told_before_is_ended_once(
    facts: Platform, answer: Callable[..., Any], posts: list[dict[str, Any]]
) -> None:
    """After the change the receiver hears the end of the alerts it knows, and nothing after that."""
    drift(answer)
    command.Alerting(facts.root).round()
    choose(facts.root, alerting="prometheus")
    for _ in range(2):
        command.Alerting(facts.root).round()
    assert [post["status"] for post in posts] == ["firing", "resolved"]
    names = [{alert["fingerprint"] for alert in post["alerts"]} for post in posts]
    assert names[0] == names[1]


def test_rules_are_written_at_the_start(facts: Platform) -> None:
    """Where Prometheus reads them, and only where it is chosen."""
    file = facts.root / "metrics/rules/strata.rules.yaml"
    command.Alerting(facts.root).prepare()
    assert not file.exists()
    choose(facts.root, alerting="prometheus")
    command.Alerting(facts.root).prepare()
    assert "alert: strata_feature_drift" in file.read_text(encoding="utf-8")


def test_status_asks_the_two_as_well(facts: Platform) -> None:
    """Both are expected where they are chosen, and not otherwise."""
    write_atomic(
        facts.root / "platform/foundation.json", pretty({**facts.stage("foundation"), "ports": {"base": 25_100}})
    )
    before = {entry["name"] for entry in health.processes(load(facts.root))}
    choose(facts.root, alerting="prometheus")
    assert {entry["name"] for entry in health.processes(load(facts.root))} - before == {"prometheus", "alertmanager"}
