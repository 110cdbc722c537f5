"""Every stage on every target, under mocks: promised outputs, names, parents, inputs."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.runtime import Mocks, set_mocks
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from components import catalog
from components._kit import contracts
from tests.unit.components.samples import SAMPLES

CELLS = [(stage, target) for target in catalog.targets() for stage in catalog.STAGES]


class World(Mocks):
    """Answers with the inputs, plus what a provider would compute, and keeps what was registered."""

    def __init__(self) -> None:
        """Nothing has been registered."""
        self.resources: list[MockResourceArgs] = []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Keeps the resource."""
        self.resources.append(args)
        computed = {"local:Secret": {"value": "a-secret-value"}, "local:KeyPair": {"public_key": "cHVibGlj"}}
        kind = args.typ.rpartition("/")[2]
        return args.name, {**args.inputs, **computed.get(kind, {})}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
        """No stage asks anything of a provider."""
        raise AssertionError(f"unexpected call of {args.token}")

    def of(self, kind: str) -> list[MockResourceArgs]:
        """Resources of one kind of the local kit."""
        return [resource for resource in self.resources if resource.typ.endswith(f"local:{kind}")]


@pytest.fixture
def world() -> World:
    """A fresh mocked engine."""
    mocks = World()
    set_mocks(mocks, preview=False)
    return mocks


def _run(program: Callable[[], Any]) -> None:
    """Runs a program to its end, with every output known."""
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]


def _build(stage: str, target: str) -> pulumi.ComponentResource:
    return catalog.component(stage, target)(stage.replace("_", "-"), dict(SAMPLES[stage]))  # type: ignore[arg-type]


def _contract(stage: str) -> type[pulumi.ComponentResource]:
    contract: type[pulumi.ComponentResource] = catalog.component(stage, "local").__mro__[1]
    return contract


@pytest.mark.parametrize(("stage", "target"), CELLS)
def test_every_promise_is_kept(world: World, stage: str, target: str) -> None:
    """Each promised output has a value, or None with a reason, and none of them is a secret."""

    def run() -> pulumi.Output[None]:
        component = _build(stage, target)
        return pulumi.Output.all(**contracts.outputs(component, _contract(stage))).apply(check)

    def check(found: dict[str, Any]) -> None:
        assert set(found) == set(contracts.promised(_contract(stage)))
        missing = {name for name, value in found.items() if value is None}
        assert missing == set(found["unavailable"])
        assert all(found["unavailable"].values())
        assert "a-secret-value" not in json.dumps(found)

    _run(run)


@pytest.mark.parametrize(("stage", "target"), CELLS)
def test_children_are_named_after_the_component(world: World, stage: str, target: str) -> None:
    """Names are unique and begin with the component's own; the component's registered inputs are its arguments."""

    def run() -> Any:
        component = _build(stage, target)
        return pulumi.Output.all(*contracts.outputs(component, _contract(stage)).values())

    _run(run)
    name = stage.replace("_", "-")
    names = [resource.name for resource in world.resources]
    assert len(set(names)) == len(names)
    assert all(found == name or found.startswith(f"{name}-") for found in names)
    own = next(resource for resource in world.resources if resource.name == name)
    assert own.typ == f"strata:index:{catalog.component(stage, target).__name__}"
    assert set(own.inputs) == set(SAMPLES[stage])


@pytest.mark.parametrize("stage", catalog.STAGES)
def test_platform_file_tells_the_stage(world: World, stage: str) -> None:
    """Each stage writes exactly one platform file with the contract's version, as canonical JSON without secrets."""

    def run() -> Any:
        return pulumi.Output.all(*contracts.outputs(_build(stage, "local"), _contract(stage)).values())

    _run(run)
    files = [file for file in world.of("File") if "/platform/" in file.inputs["path"]]
    assert [file.inputs["path"] for file in files] == [f"/srv/strata/platform/{stage}.json"]
    text = files[0].inputs["content"]
    told = json.loads(text)
    assert told["contract_version"] == 1
    assert text == json.dumps(told, indent=1, sort_keys=True) + "\n"
    assert "a-secret-value" not in text


def test_processes_have_their_own_ports(world: World) -> None:
    """Over all stages each process has a name and a port of its own, below ten of the base, and binds no other host."""

    def run() -> Any:
        built = [_build(stage, "local") for stage in catalog.STAGES]
        return pulumi.Output.all(*(component.platform_file for component in built))  # type: ignore[attr-defined]

    _run(run)
    ports = {process.inputs["name"]: int(process.inputs["port"]) for process in world.of("Process")}
    assert ports == {
        "mlflow": 25100,
        "prediction": 25101,
        "portal": 25102,
        "scheduler": 25103,
        "challenger": 25104,
        "receiver": 25105,
        "alerting": 25106,
        "features": 25109,
    }
    for process in world.of("Process"):
        assert "0.0.0.0" not in json.dumps(process.inputs["command"])  # noqa: S104 - looked for, not bound
