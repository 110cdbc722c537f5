"""One small bank a test."""

from pathlib import Path

import pytest

from tests.unit.evidence.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A platform at stage governance, without runs."""
    return World(tmp_path / "bank", monkeypatch)
