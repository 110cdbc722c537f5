"""The scheduler starts runs by cron and on request, for whom it should, and survives its own end."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from mlstep import platform as platforms
from mlstep.canonical import iso, now
from mlstep.errors import ConfigError
from mlstep.runner.records import find_run, read_run
from mlstep.scheduler.app import create_app
from mlstep.scheduler.cron import make_trigger, next_fire
from mlstep.scheduler.fires import Fire, is_missed, read_fire, write_fire
from mlstep.scheduler.service import Service
from tests.unit.core.bench import PROBE, Bench, wait_until

IDENTITIES = ("develop", "pipeline", "promote", "serve", "audit")


@pytest.fixture
def root(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A platform with one pipeline of one step that waits for the file `go`, scheduled once a year."""
    monkeypatch.setenv("PYTHONPATH", str(PROBE))
    monkeypatch.syspath_prepend(str(PROBE))
    bench.define({"only": {"config": {"wait_for": str(bench.folder / "go")}}}, parameters={"note": {"default": "x"}})
    (bench.root / "platform").mkdir(parents=True)
    identities = {}
    for name in IDENTITIES:
        file = bench.root / f"{name}.token"
        file.write_text(f"token of {name}\n", encoding="utf-8")
        identities[name] = {"user": f"{name}-user", "token_file": str(file)}
    stages: dict[str, dict[str, Any]] = {
        "foundation": {"contract_version": 1, "environment": "dev", "identities": identities},
        "pipelines": {
            "contract_version": 1,
            "pipelines": [{"name": "demo", "definition": str(bench.definition), "schedule": "0 0 1 1 *"}],
        },
    }
    for name, content in stages.items():
        (bench.root / "platform" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return bench.root


@pytest.fixture
def client(root: Path) -> Iterator[TestClient]:
    """The scheduler's interface, started and stopped."""
    platform = platforms.load(root)
    with TestClient(create_app(root, platform, Service(root, platform))) as client:
        yield client


def post(client: TestClient, identity: str = "develop", **body: Any) -> Any:
    """Ask for a run as an identity."""
    return client.post(
        "/runs", json={"pipeline": "demo", **body}, headers={"Authorization": f"Bearer token of {identity}"}
    )


def test_a_run_is_started_and_followed(client: TestClient, bench: Bench) -> None:
    """POST answers with the run's name; its record, events and place in the list follow."""
    run = post(client, reason="try").json()["run"]
    (bench.folder / "go").touch()

    def last_event() -> str:
        events = client.get(f"/runs/{run}", params={"events": 1}).json().get("events", [])
        return str(events[-1]["type"]) if events else ""

    # The event is the very last thing: the record says `passed` a moment before it.
    wait_until(lambda: last_event() == "run-finished")
    found = client.get(f"/runs/{run}", params={"events": 1}).json()
    assert (found["state"], found["author"], found["reason"]) == ("passed", "develop-user", "try")
    assert len(found["events"]) == 1
    assert [entry["run"] for entry in client.get("/runs", params={"pipeline": "demo"}).json()["runs"]] == [run]


def test_only_two_identities_may_start(client: TestClient) -> None:
    """No token and a wrong one are 401, identities with other duties 403."""
    assert client.post("/runs", json={"pipeline": "demo"}).status_code == 401
    assert post(client, "nobody").status_code == 401
    assert [post(client, identity).status_code for identity in ("promote", "serve", "audit")] == [403, 403, 403]
    assert post(client, "pipeline").status_code == 202


def test_a_busy_pipeline_is_told(client: TestClient, bench: Bench) -> None:
    """A second run is refused at once, before and after the first one holds its lock."""
    run = post(client).json()["run"]
    second = post(client)
    assert second.status_code == 409
    wait_until(lambda: client.get("/healthz").json()["running"] != [])
    third = post(client)
    assert third.status_code == 409
    assert run in third.json()["detail"]
    (bench.folder / "go").touch()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"pipeline": "other"}, "not one of the platform's"),
        ({"parameters": {"x": "1"}}, "no such parameter"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_requests_are_told(client: TestClient, body: dict[str, Any], told: str) -> None:
    """Unknown pipelines, parameters and keys are 422 with the reason; no run is started."""
    answer = post(client, **body)
    assert answer.status_code == 422
    assert told in answer.text
    assert client.get("/runs").json() == {"runs": []}
    assert client.get("/runs/nothing").status_code == 404


def test_a_foreign_host_name_is_refused(client: TestClient) -> None:
    """A browser page that points its own name at this machine gets nothing."""
    assert client.get("/runs", headers={"Host": "evil.example"}).status_code == 400


def test_an_orderly_stop_ends_runs_so_that_they_can_be_resumed(root: Path, bench: Bench) -> None:
    """When the scheduler stops, its run is marked stopped; a later scheduler resumes it."""
    platform = platforms.load(root)
    with TestClient(create_app(root, platform, Service(root, platform))) as client:
        run = post(client).json()["run"]
        wait_until(
            lambda: any(
                step["state"] == "running" for step in client.get(f"/runs/{run}").json().get("steps", {}).values()
            )
        )
    assert read_run(find_run(root, run))["state"] == "stopped"
    (bench.folder / "go").touch()
    with TestClient(create_app(root, platform, Service(root, platform))) as client:
        headers = {"Authorization": "Bearer token of develop"}
        assert client.post(f"/runs/{run}/resume", json={}, headers=headers).status_code == 202
        wait_until(lambda: client.get(f"/runs/{run}").json()["state"] == "passed")


def test_a_missed_fire_is_made_up_for_once(root: Path, bench: Bench) -> None:
    """After years without a scheduler, the pipeline runs one time."""
    (bench.folder / "go").touch()
    write_fire(root, Fire("demo", "0 0 1 1 *", iso(now() - timedelta(days=2000)), "started"))
    platform = platforms.load(root)
    with TestClient(create_app(root, platform, Service(root, platform))) as client:
        wait_until(lambda: [run["state"] for run in client.get("/runs").json()["runs"]] == ["passed"])
        assert client.get("/runs").json()["runs"][0]["author"] == "scheduler"
    fire = read_fire(root, "demo")
    assert fire is not None
    assert fire.outcome == "started"
    with TestClient(create_app(root, platform, Service(root, platform))) as client:
        assert len(client.get("/runs").json()["runs"]) == 1


def test_a_new_schedule_starts_counting_now(tmp_path: Path) -> None:
    """A schedule that was never seen, or was changed, has missed nothing."""
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    trigger = make_trigger("0 6 * * *")
    assert not is_missed(tmp_path, "p", "0 6 * * *", trigger, moment)
    assert not is_missed(tmp_path, "p", "0 6 * * *", trigger, moment + timedelta(hours=17))
    assert is_missed(tmp_path, "p", "0 6 * * *", trigger, moment + timedelta(hours=19))
    assert not is_missed(tmp_path, "p", "0 7 * * *", make_trigger("0 7 * * *"), moment + timedelta(days=9))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 6 * * 1", "2026-03-02"),
        ("0 6 * * 0", "2026-03-01"),
        ("0 6 * * 7", "2026-03-01"),
        ("0 6 * * 1-5", "2026-03-02"),
        ("0 6 * * fri", "2026-03-06"),
    ],
)
def test_weekdays_are_cron_s(expression: str, expected: str) -> None:
    """Sunday is 0 and 7, Monday is 1; 1 March 2026 is a Sunday."""
    moment = datetime(2026, 3, 1, 5, tzinfo=UTC)
    found = next_fire(make_trigger(expression), moment)
    assert found is not None
    assert found.date().isoformat() == expected


@pytest.mark.parametrize("expression", ["daily", "0 6 * *", "99 6 * * *", "0 6 * * 5-1", "0 6 * * mo"])
def test_wrong_schedules_are_told(expression: str) -> None:
    """What is no cron expression is refused before anything starts."""
    with pytest.raises(ConfigError, match="schedule"):
        make_trigger(expression)


def test_health_says_when_the_heart_stops(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute without a tick is 503."""
    assert client.get("/healthz").status_code == 200
    monkeypatch.setenv("STRATA_NOW", iso(now() + timedelta(minutes=2)))
    assert client.get("/healthz").status_code == 503
    assert os.environ["STRATA_NOW"]
