"""MLflow on PostgreSQL: the URL with its password reaches the process, and nothing that is not secret."""

import json
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc, set_mocks
from pulumi.runtime.mocks import MockResourceArgs

from components import catalog
from tests.unit.components.samples import SAMPLES
from tests.unit.components.test_stages import World, _run

PASSWORD = "r4-Tz-91-Qp"


def _named(world: World, name: str) -> MockResourceArgs:
    return next(resource for resource in world.resources if resource.name == name)


def _secret(world: World, name: str, key: str) -> Any:
    """An input's value, after making sure that it was registered as a secret."""
    value = _named(world, name).inputs[key]
    assert rpc.is_rpc_secret(value), f"{name}.{key} is plain"
    return rpc.unwrap_rpc_secret(value)


def _build(url: str | None) -> World:
    """Stage 1 with this database, or with its own file."""
    world = World()
    set_mocks(world, preview=False)
    more = {} if url is None else {"backend_store_url": url}

    def program() -> Any:
        made: Any = catalog.component("registry", "local")("registry", {**SAMPLES["registry"], **more})  # type: ignore[arg-type]
        return pulumi.Output.all(made.tracking_uri, made.platform_file)

    _run(program)
    return world


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_url_reaches_only_the_environment_of_mlflow(scheme: str) -> None:
    """The secret part of one process' environment holds the URL; nothing else that was registered has the password."""
    url = f"{scheme}://mlflow:{PASSWORD}@db.example/mlflow"
    world = _build(url)
    assert _secret(world, "registry-mlflow", "secret_env")["MLFLOW_BACKEND_STORE_URI"] == url
    assert _secret(world, "registry", "backend_store_url") == url
    told = {(one.name, key): value for one in world.resources for key, value in one.inputs.items()}
    assert len(told) > 50
    holding = {place for place, value in told.items() if PASSWORD in json.dumps(value)}
    assert holding == {("registry-mlflow", "secret_env"), ("registry", "backend_store_url")}


def test_without_a_url_it_is_a_file_of_the_platform() -> None:
    """The default needs no server."""
    found = _secret(_build(None), "registry-mlflow", "secret_env")
    assert found["MLFLOW_BACKEND_STORE_URI"] == "sqlite:////srv/strata/mlflow/mlflow.db"
