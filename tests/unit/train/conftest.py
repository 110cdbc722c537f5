"""One trained model per session: training is the slow part."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.train import making


@dataclass(frozen=True)
class Trained:
    """A model of pumps, its rows and its contract."""

    folder: Path
    parts: dict[str, Path]
    contract: Path

    @property
    def model(self) -> Path:
        """The model folder."""
        return self.folder / "train" / "model"


def train(folder: Path, **config: object) -> Trained:
    """Train on pumps."""
    made = Trained(folder, making.split(folder, making.pumps()), making.contract(folder))
    inputs = {"train": made.parts["train"], "valid": made.parts["valid"], "contract": made.contract}
    making.run(folder, "train", inputs, {**making.QUICK, **config})
    return made


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A trained model; tests read it and write elsewhere."""
    return train(tmp_path_factory.mktemp("trained"))
