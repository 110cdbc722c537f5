"""Load a model for serving, from a folder whose bytes were verified."""

from pathlib import Path

from mlstep.model import Model


def load_model(folder: Path) -> Model:
    """Load a model and score one row of nothing, so that the first caller does not pay for what is made lazily.

    Raises:
        ConfigError: not a model folder.
        IntegrityError: the model file holds types that are not trusted.
    """
    model = Model.load(folder)
    model.predict_scores([{}])
    return model
