"""The Pulumi program under mocks: stages in order, each with its own arguments, protected in production."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import Any, ClassVar

import pulumi
import pytest

from components import catalog
from stacks import arguments, record
from tests.unit.stacks.conftest import GOOD

program = importlib.import_module("stacks.__main__")


class FakeEngine(pulumi.runtime.Mocks):
    """Notes what is registered and answers with the inputs."""

    def __init__(self) -> None:
        self.types: list[str] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Note the resource."""
        self.types.append(args.typ)
        return args.name, dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """No function is called."""
        raise AssertionError(args.token)


class Stage(pulumi.ComponentResource):
    """Stands in for a stage's class; keeps what it was told."""

    told: ClassVar[list[tuple[str, dict[str, Any], pulumi.ResourceOptions]]] = []

    def __init__(self, name: str, args: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(f"test:index:{name}", name, {}, opts)
        self.host = pulumi.Output.from_input({"root": "/data"})
        Stage.told.append((name, args, opts))


def told(
    monkeypatch: pytest.MonkeyPatch, chosen: record.Record
) -> dict[str, tuple[dict[str, Any], pulumi.ResourceOptions]]:
    """Build a record with stand-ins and return what each stage was told."""
    Stage.told = []
    monkeypatch.setattr(catalog, "component", lambda stage, target: Stage)
    pulumi.runtime.set_mocks(FakeEngine(), "strata", chosen.stack_name)
    program.build(chosen)
    return {name: (args, opts) for name, args, opts in Stage.told}


def test_stages_are_built_in_order_up_to_the_stage(
    repository: Path, record_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage number has its stages and those before, in building order, and nothing else."""
    record_file.write_text(GOOD.replace("stage: 4", "stage: 2"), encoding="utf-8")
    found = told(monkeypatch, record.load("demo-dev", repository))
    assert list(found) == ["foundation", "governance", "registry", "pipelines"]


def test_each_stage_gets_exactly_its_own_arguments(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No stage is told a key that its contract does not know; paths are absolute."""
    found = told(monkeypatch, record.load("demo-dev", repository))
    for stage in catalog.STAGES:
        module = importlib.import_module(f"components.{stage}.contract")
        known = {key for kind in vars(module).values() if hasattr(kind, "__total__") for key in kind.__annotations__}
        assert set(found[stage.replace("_", "-")][0]) <= known
    governance = found["governance"][0]
    assert governance["data"][0]["contract"] == str(repository / "pipelines/credit/applications.odcs.yaml")
    assert governance["data"][0]["source"] == "synthetic:credit?rows=100000&seed=7"
    assert found["foundation"][0]["signers"] == [{"name": "r.holm@demo.example", "role": "risk", "public_key": None}]
    assert found["monitoring"][0]["alert_owner"] == "o.lind@demo.example"
    assert found["registry"][0]["default_model"] == "applications"


def test_production_is_protected(repository: Path, record_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stage of a production is protected against deletion, none of a development."""
    record_file.write_text(GOOD + "  prod: {local: {ports: {base: 26000}}}\n", encoding="utf-8")
    for stack, protect in (("demo-prod", True), ("demo-dev", False)):
        found = told(monkeypatch, record.load(stack, repository))
        assert {opts.protect for _, opts in found.values()} == {protect}


def test_nobody_to_alert_is_passed_on_for_policy_to_refuse(repository: Path, record_file: Path) -> None:
    """A record may say that nobody is told; the component hears it and the policy judges it."""
    record_file.write_text(GOOD.replace("alert_route: owner", "alert_route: null"), encoding="utf-8")
    assert arguments.alert_owner(record.load("demo-dev", repository)) == ""


def test_a_bad_record_fails_the_program_with_every_problem(
    monkeypatch: pytest.MonkeyPatch, repository: Path, record_file: Path
) -> None:
    """The engine shows the full list, without a traceback."""
    record_file.write_text(
        GOOD.replace("stage: 4", "stage: 9").replace("risk_class: high", "risk_class: x"), encoding="utf-8"
    )
    monkeypatch.setattr(record, "REPOSITORY", repository)
    monkeypatch.setattr(pulumi, "get_stack", lambda: "demo-dev")
    with pytest.raises(pulumi.RunError, match="2 problems"):
        program.main()


def test_a_database_url_is_a_secret_setting(
    repository: Path, record_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record says which database, the stack's secret setting its URL; without it the message has the command."""
    record_file.write_text(GOOD.replace("sqlite", "postgresql"), encoding="utf-8")
    chosen = record.load("demo-dev", repository)
    pulumi.runtime.set_all_config({})
    with pytest.raises(pulumi.RunError, match="pulumi config set --secret tracking_database_url"):
        told(monkeypatch, chosen)
    pulumi.runtime.set_all_config({"strata:tracking_database_url": "postgresql://db.example/mlflow"})
    url = told(monkeypatch, chosen)["registry"][0]["backend_store_url"]
    pulumi.runtime.set_all_config({})
    assert asyncio.get_event_loop().run_until_complete(url.is_secret())


def test_alerting_is_passed_on_where_it_is_chosen(
    repository: Path, record_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default adds no argument, so that a stack of before sees no change."""
    before = told(monkeypatch, record.load("demo-dev", repository))
    assert "alerting" not in before["monitoring"][0]
    record_file.write_text(
        GOOD.replace("  alert_route: owner", "  alert_route: owner\n  alerting: prometheus"), encoding="utf-8"
    )
    after = told(monkeypatch, record.load("demo-dev", repository))
    assert after["monitoring"][0]["alerting"] == "prometheus"
