"""The exported contract: what components promise, what another stack reads back."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components import catalog
from stacks import outputs

VALUES: dict[str, Any] = {
    stage: {name: f"{stage} {name}" for name in outputs.field_names(stage)}
    for stage in ("foundation", "governance", "registry", "pipelines")
} | {"contract_version": 1}


class FakeEngine(pulumi.runtime.Mocks):
    """Answers a stack reference with the outputs it was given."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Answer like the engine does for `pulumi:pulumi:StackReference`."""
        assert args.typ == "pulumi:pulumi:StackReference"
        return "other", {"name": args.inputs["name"], "outputs": dict(self.values), "secretOutputNames": []}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """No function is called by a stack reference."""
        raise AssertionError(args.token)


def read_through_engine(values: Mapping[str, Any]) -> Any:
    """Read another stack's platform as a Pulumi program does."""
    pulumi.runtime.set_mocks(FakeEngine(values), "strata", "demo-dev")
    found: list[Any] = []

    def program() -> Any:
        reference = pulumi.StackReference("organization/strata/other-dev")
        return outputs.Platform.from_stack_reference(reference).apply(found.append)

    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    return found[0]


def test_every_promise_of_a_stage_is_exported() -> None:
    """The fields exported for a stage are those of its component contract; `host` stays inside the stack."""
    for stage in catalog.STAGES:
        module = importlib.import_module(f"components.{stage}.contract")
        contract = next(
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, pulumi.ComponentResource)
            and value is not pulumi.ComponentResource
        )
        assert set(outputs.field_names(stage)) == set(contract.__annotations__) - {"host"}, stage


def test_another_stack_reads_a_typed_platform() -> None:
    """A stack reference becomes a Platform whose fields are those that were exported."""
    platform = read_through_engine(VALUES)
    assert isinstance(platform, outputs.Platform)
    assert platform.registry.tracking_uri == "registry tracking_uri"
    assert platform.pipelines is not None
    assert platform.pipelines.engine == "pipelines engine"
    assert platform.monitoring is None
    assert platform.stage == 2


def test_numbers_travel_as_floating_point() -> None:
    """The engine hands 1 over as 1.0; the version is still the same."""
    assert outputs.read(VALUES | {"contract_version": 1.0}).stage == 2


def test_a_newer_field_is_ignored() -> None:
    """A field that this version does not know does not disturb it."""
    newer = VALUES | {"registry": VALUES["registry"] | {"new_field": 1}}
    assert outputs.read(newer).registry == outputs.read(VALUES).registry


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"contract_version": 2}, "contract_version 2, expected 1"),
        ({"contract_version": None}, "no contract_version"),
        ({"registry": {}}, "registry.tracking_uri is missing, registry.artifact_store_uri is missing"),
    ],
)
def test_a_broken_contract_names_what_differs(change: dict[str, Any], words: str) -> None:
    """Another version, or missing fields, are told in one message."""
    with pytest.raises(outputs.ContractError, match=words):
        outputs.read(VALUES | change)


def test_a_stack_without_its_first_stages_is_refused() -> None:
    """Foundation, governance and registry are always there."""
    with pytest.raises(
        outputs.ContractError, match="foundation is missing, governance is missing, registry is missing"
    ):
        outputs.read({"contract_version": 1})
