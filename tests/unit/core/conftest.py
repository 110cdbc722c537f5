"""A runner in a folder of its own, and the reference pipeline's contract."""

from pathlib import Path

import pytest

from tests.unit.core.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty bench."""
    return Bench(tmp_path)


@pytest.fixture
def credit_contract() -> Path:
    """The reference pipeline's data contract."""
    return Path(__file__).parents[3] / "pipelines" / "credit" / "applications.odcs.yaml"
