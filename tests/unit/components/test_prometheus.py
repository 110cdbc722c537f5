"""Monitoring with Prometheus: two processes more and nothing else, and a clear word where a program is missing."""

import json
import shutil
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
from pulumi.runtime import set_mocks

from components.monitoring.local import LocalMonitoring
from tests.unit.components.samples import SAMPLES
from tests.unit.components.test_stages import World

ROOT = "/srv/strata"


def built(**more: Any) -> Mapping[str, Mapping[str, Any]]:
    """Inputs of every child by its name."""
    world = World()
    set_mocks(world, preview=False)

    def program() -> Any:
        return LocalMonitoring("monitoring", {**SAMPLES["monitoring"], **more}).platform_file  # type: ignore[typeddict-item]

    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    return {resource.name: resource.inputs for resource in world.resources if resource.name != "monitoring"}


def on_path(monkeypatch: pytest.MonkeyPatch, *programs: str) -> None:
    """A machine with these programs."""
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}" if name in programs else None)


def test_two_processes_more_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other child keeps its inputs, but for the platform file and its digest in those who read it."""
    on_path(monkeypatch, "prometheus", "alertmanager", "prometheus-alertmanager")
    before, after = built(), built(alerting="prometheus")
    assert before == built(alerting="builtin")
    assert set(after) - set(before) == {
        f"monitoring-{name}{of}" for name in ("prometheus", "alertmanager") for of in ("", "-configuration")
    }
    for name, inputs in before.items():
        same = {key for key in inputs if inputs[key] == after[name][key]}
        assert set(inputs) - same <= {"content", "configuration"}, name
    told = [json.loads(found["monitoring-platform"]["content"]) for found in (before, after)]
    assert told[1] == {**told[0], "alerting": "prometheus"}


def test_what_the_two_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their own ports on loopback, absolute programs, the token's file and not the token."""
    on_path(monkeypatch, "prometheus", "prometheus-alertmanager")
    found = built(alerting="prometheus", interval_seconds=900)
    server, manager = found["monitoring-prometheus"], found["monitoring-alertmanager"]
    assert (server["command"][0], manager["command"][0]) == ("/opt/prometheus", "/opt/prometheus-alertmanager")
    assert "--web.listen-address=127.0.0.1:25107" in server["command"]
    assert {"--web.listen-address=127.0.0.1:25108", "--cluster.listen-address="} <= set(manager["command"])
    asked = json.loads(found["monitoring-prometheus-configuration"]["content"])
    assert asked["global"]["scrape_interval"] == "60s"
    assert asked["rule_files"] == [f"{ROOT}/metrics/rules/*.yaml"]
    assert asked["scrape_configs"][0]["static_configs"] == [{"targets": ["127.0.0.1:25106"]}]
    told = json.loads(found["monitoring-alertmanager-configuration"]["content"])
    webhook = told["receivers"][0]["webhook_configs"][0]
    assert webhook["url"] == "http://127.0.0.1:25105/alerts"
    assert webhook["http_config"]["authorization"]["credentials_file"] == f"{ROOT}/secrets/serve.token"


@pytest.mark.parametrize("there", [(), ("prometheus",), ("alertmanager",)])
def test_missing_programs_are_told(monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...]) -> None:
    """One problem names exactly what is missing, and both ways out; the default asks for neither program."""
    on_path(monkeypatch, *there)
    with pytest.raises(Exception, match="cannot be built") as refused:
        built(alerting="prometheus")
    text = str(refused.value)
    for name in ("prometheus", "alertmanager"):
        missing = text.partition("on a machine without ")[2].partition(" on PATH")[0]
        wanted = "alertmanager or prometheus-alertmanager" if name == "alertmanager" else name
        assert (wanted in missing.split(" and ")) == (name not in there)
    assert "install what is missing" in text
    assert "monitoring.alerting: builtin" in text
    assert "monitoring-alerting" in built()


def test_another_word_is_refused() -> None:
    """Only the two ways there are."""
    with pytest.raises(Exception, match="alerting must be builtin or prometheus"):
        built(alerting="grafana")
