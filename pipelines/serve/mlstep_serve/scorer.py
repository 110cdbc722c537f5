"""Load a model for serving, from a folder whose bytes were verified."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

from mlstep.model import Model

_NOT_NEEDED = ("pandas", "pyarrow")


def load_model(folder: Path) -> Model:
    """Load a model and score one row of nothing, so that the first caller does not pay for what is made lazily.

    Raises:
        ConfigError: not a model folder.
        IntegrityError: the model file holds types that are not trusted.
    """
    model = Model.load(folder)
    model.predict_scores([{}])
    return model


def leave_out_frames() -> None:
    """Let this process do without pandas and pyarrow, as if they were not installed; for a service's own process only.

    scikit-learn imports them only to know their types. No frame of theirs comes here; they cost 80 MiB and a second.
    """
    if not any(isinstance(finder, _Absent) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Absent())


class _Absent(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Refuse what is not needed; leave all else to the finders after this one."""
        if fullname.partition(".")[0] in _NOT_NEEDED:
            raise ModuleNotFoundError(f"{fullname} is left out of this process", name=fullname)
