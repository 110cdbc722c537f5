"""One Pulumi home and one file backend per test session; projects of a test live in its temporary folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.harness import Engine
from tests.engine.local_platform import LocalPlatform
from tools import environments, pulumi_cli

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the Pulumi CLI and its language host; `make test` has put it there."""
    return pulumi_cli.find()


@pytest.fixture(scope="session")
def engine(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The engine of this test session."""
    return Engine(programs, tmp_path_factory.mktemp("pulumi"))


@pytest.fixture(scope="session")
def own_host(programs: Path) -> Path:
    """The folder of the programs, for tests of our own language host: elsewhere the official one is in use."""
    if programs != pulumi_cli.cache_folder(os.environ) / "bin" or (programs.parent / "official").exists():
        pytest.skip(f"{programs} has the official language host")
    return programs


@pytest.fixture(scope="session")
def program_environment() -> Path:
    """The virtual environment of Pulumi programs."""
    return environments.ensure("program", REPOSITORY)


@pytest.fixture(scope="session")
def policies_environment() -> Path:
    """The virtual environment of policy packs."""
    return environments.ensure("policies", REPOSITORY)


@pytest.fixture
def local_platform(engine: Engine, tmp_path: Path, program_environment: Path) -> Iterator[LocalPlatform]:
    """A platform folder with ports of its own; what a failed test leaves there is ended."""
    environments.ensure("run-time", REPOSITORY)
    platform = LocalPlatform(engine, tmp_path, program_environment)
    try:
        yield platform
    finally:
        platform.close()
