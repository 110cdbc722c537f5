"""A platform with a champion, and the service in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlstep.platform import Platform
from mlstep_serve import parts
from tests.unit.serve import kit


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small trained model; tests only read it."""
    return kit.make_model(tmp_path_factory.mktemp("model") / "one")


@pytest.fixture(scope="session")
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another model of the same name."""
    return kit.make_model(tmp_path_factory.mktemp("model") / "two", seed=2)


@pytest.fixture
def facts(tmp_path: Path) -> Platform:
    """A platform of all stages without a champion."""
    return kit.make_platform(tmp_path / "root")


@pytest.fixture
def promoted(facts: Platform, model_folder: Path) -> Platform:
    """A platform whose champion is version 1."""
    kit.promote(facts, model_folder, 1)
    return facts


@pytest.fixture
def running(promoted: Platform) -> Iterator[parts.Parts]:
    """The champion's service on that platform, without HTTP."""
    service = parts.build(promoted.root, "champion", 1.0)
    service.start()
    yield service
    service.stop()
