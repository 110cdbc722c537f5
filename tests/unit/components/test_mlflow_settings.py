"""How MLflow is started: what we switch off is off as MLflow itself reads it, and only loopback is let in."""

from configparser import ConfigParser
from typing import Any

import pulumi
import pytest
from pulumi.runtime import set_mocks

from components import catalog
from components.registry.local import auth_ini
from tests.unit.components.samples import SAMPLES
from tests.unit.components.test_stages import World, _run


@pytest.fixture
def inputs() -> dict[str, Any]:
    """The declared inputs of the process."""
    world = World()
    set_mocks(world, preview=False)

    def program() -> Any:
        made: Any = catalog.component("registry", "local")("registry", dict(SAMPLES["registry"]))  # type: ignore[arg-type]
        return pulumi.Output.all(made.tracking_uri, made.platform_file)

    _run(program)
    return next(dict(one.inputs) for one in world.resources if one.name == "registry-mlflow")


def test_jobs_telemetry_and_pickle_are_off(inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is on by default in MLflow, so the names must be those that it reads."""
    from mlflow import environment_variables

    known: Any = environment_variables
    switches = (known.MLFLOW_SERVER_ENABLE_JOB_EXECUTION, known.MLFLOW_ALLOW_PICKLE_DESERIALIZATION)
    for switch in switches:
        monkeypatch.delenv(switch.name, raising=False)
        assert switch.get() is True
    for name, value in inputs["env"].items():
        if name.startswith("MLFLOW_"):
            monkeypatch.setenv(name, value)
    assert [switch.get() for switch in switches] == [False, False]
    assert known.MLFLOW_DISABLE_TELEMETRY.get() is True
    assert known.MLFLOW_SERVER_ALLOWED_HOSTS.get() == "127.0.0.1:25100,localhost:25100"


def test_only_loopback_and_only_with_a_login(inputs: dict[str, Any]) -> None:
    """It binds loopback, with the application that asks for a password."""
    command = inputs["command"]
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--app-name") + 1] == "basic-auth"
    assert command[command.index("--allowed-hosts") + 1] == "127.0.0.1:25100,localhost:25100"


def test_nobody_has_rights_by_default() -> None:
    """The configuration of the login gives no right to anybody, and the administrator the generated password."""
    found = ConfigParser()
    found.read_string(auth_ini("/srv/strata", "generated"))
    assert found["mlflow"]["default_permission"] == "NO_PERMISSIONS"
    assert found["mlflow"]["admin_password"] == "generated"
