"""The model folder, read: what a model expects, and scores by its native predict.

The folder is written by `mlstep_train.model_folder`. Training and serving turn rows into numbers with the same
`Encoder`, so there is no skew between them; there is no MLflow on this path.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlstep.canonical import read_json
from mlstep.errors import ConfigError, IntegrityError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

MODEL_VERSION = 1
MODEL_FILE = "model.skops"
DESCRIPTION_FILE = "model.json"
PROFILE_FILE = "profile.json"

# Types beyond skops' own that a model file may hold. Fixed here, never read from the model's folder:
# whoever can write the folder could otherwise also write the list of what is trusted.
TRUSTED_TYPES = ("numpy.dtype", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")

Kind = Literal["number", "category", "boolean"]
Encoding = Literal["codes", "one_hot"]


@dataclass(frozen=True)
class Feature:
    """One input of a model.

    Attributes:
        minimum, maximum: the accepted range of a number: the contract's, else the training range widened by its
            own width on both sides; None for other kinds.
        categories: the values of a category, in the order of their codes.
        open_categories: whether values beyond `categories` were seen in training (and stand for "missing").
        missing_allowed: whether a missing value gets a score of the model's own.
    """

    name: str
    kind: Kind
    minimum: float | None
    maximum: float | None
    categories: tuple[str, ...]
    open_categories: bool
    missing_allowed: bool

    def problem(self, value: Any) -> str | None:
        """Why a value cannot be scored, or None."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None if self.missing_allowed else f"{self.name}: missing"
        if self.kind == "category":
            return self._category_problem(value)
        if self.kind == "boolean":
            return None if isinstance(value, bool) else f"{self.name}: {_short(value)} is not true or false"
        return self._number_problem(value)

    def _category_problem(self, value: Any) -> str | None:
        if not isinstance(value, str):
            return f"{self.name}: {_short(value)} is not a text"
        if value in self.categories or self.open_categories:
            return None
        return f"{self.name}: {_short(value)} was not seen in training"

    def _number_problem(self, value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{self.name}: {_short(value)} is not a number"
        low, high = self.minimum, self.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            return f"{self.name}: {_short(value)} is outside {low} to {high}"
        return None


@dataclass(frozen=True)
class Description:
    """`model.json`: what a model is, without loading it.

    Attributes:
        created: ISO 8601, UTC.
        encoding: how categories become numbers, see `Encoder`.
        target, positive: the column the score is about, and its value that the score is the probability of.
        groups: columns by which fairness is judged; never features.
        contract: name, version and sha256 of the data contract.
        threshold: score from which the decision is `decisions["at_or_above"]`.
        decisions: names of the two decisions, by `below` and `at_or_above`; `favourable` is the one that is
            good to get.
        fallback: score and decision of an answer that the model cannot give.
        metrics: as found in training.
    """

    name: str
    created: str
    seed: int
    algorithm: str
    encoding: Encoding
    features: tuple[Feature, ...]
    target: str
    positive: str
    groups: tuple[str, ...]
    contract: Mapping[str, Any]
    score: Mapping[str, float]
    threshold: float
    decisions: Mapping[str, str]
    fallback: Mapping[str, Any]
    baseline: str
    metrics: Mapping[str, float]

    def decide(self, score: float) -> str:
        """The decision for a score."""
        return self.decisions["at_or_above"] if score >= self.threshold else self.decisions["below"]

    def problems(self, row: Mapping[str, Any]) -> list[str]:
        """Why a row cannot be scored, one reason per feature; an empty list when it can. Other keys are left alone."""
        found = (feature.problem(row.get(feature.name)) for feature in self.features)
        return [problem for problem in found if problem is not None]


def load_description(folder: Path) -> Description:
    """Read `model.json`.

    Raises:
        ConfigError: missing, or of another version.
    """
    file = folder / DESCRIPTION_FILE
    if not file.is_file():
        raise ConfigError(f"{folder}: no {DESCRIPTION_FILE}", "give a model folder, as the step train writes it")
    return parse_description(read_json(file), str(file))


def parse_description(content: dict[str, Any], where: str) -> Description:
    """Build a description from the content of `model.json`.

    Raises:
        ConfigError: of another version.
    """
    content = dict(content)
    version = content.pop("model_version", None)
    if version != MODEL_VERSION:
        raise ConfigError(
            f"{where}: model_version {version}, expected {MODEL_VERSION}", "train again with this version of Strata"
        )
    content["features"] = tuple(
        Feature(**{**entry, "categories": tuple(entry["categories"])}) for entry in content["features"]
    )
    content["groups"] = tuple(content["groups"])
    return Description(**content)


class Encoder:
    """Rows to the matrix a model was trained on; missing numbers are NaN.

    With `codes` (for trees) a category is one column of codes, missing or unknown values NaN; with `one_hot` (for
    linear models) it is one column of 0 and 1 per value, all 0 when missing or unknown.
    """

    def __init__(self, features: Sequence[Feature], encoding: Encoding) -> None:
        self.features = tuple(features)
        self.encoding = encoding
        self._codes = {
            f.name: {value: float(code) for code, value in enumerate(f.categories)}
            for f in features
            if f.kind == "category"
        }

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> "np.ndarray[Any, Any]":
        """Encode rows given as maps, (n_rows, n_columns)."""
        import numpy as np

        nan = float("nan")
        matrix = np.empty((len(rows), len(self.features)))
        for column, feature in enumerate(self.features):
            codes = self._codes.get(feature.name)
            values = (row.get(feature.name) for row in rows)
            matrix[:, column] = [nan if v is None else (codes.get(v, nan) if codes is not None else v) for v in values]
        return self._widen(matrix)

    def frame(self, frame: "pl.DataFrame") -> "np.ndarray[Any, Any]":
        """Encode a frame, (n_rows, n_columns); columns that are no features are left alone.

        Raises:
            ConfigError: a feature's column is missing.
        """
        import numpy as np

        missing = [feature.name for feature in self.features if feature.name not in frame.columns]
        if missing:
            raise ConfigError(
                f"columns missing for the model: {', '.join(missing)}", "give rows of the model's data contract"
            )
        matrix = np.empty((frame.height, len(self.features)))
        for column, feature in enumerate(self.features):
            matrix[:, column] = self._column(frame.get_column(feature.name), feature)
        return self._widen(matrix)

    def _column(self, series: "pl.Series", feature: Feature) -> "np.ndarray[Any, Any]":
        import numpy as np
        import polars as pl

        if feature.kind == "category":
            codes = self._codes[feature.name]
            values = series.cast(pl.String).replace_strict(
                list(codes), list(codes.values()), default=None, return_dtype=pl.Float64
            )
        else:
            values = series.cast(pl.Float64)
        return np.asarray(values.fill_null(float("nan")).to_numpy())

    def _widen(self, matrix: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        import numpy as np

        if self.encoding == "codes":
            return matrix
        parts = []
        for column, feature in enumerate(self.features):
            values = matrix[:, column : column + 1]
            is_category = feature.kind == "category"
            parts.append((values == np.arange(len(feature.categories))).astype(np.float64) if is_category else values)
        return np.hstack(parts)


class Model:
    """A loaded model.

    Attributes:
        description: what the model expects and is.
        estimator: the scikit-learn Pipeline.
    """

    def __init__(self, description: Description, estimator: Any) -> None:
        self.description = description
        self.encoder = Encoder(description.features, description.encoding)
        self.estimator = estimator

    @classmethod
    def load(cls, folder: Path) -> "Model":
        """Load a model folder; the bytes are not verified here: `mlstep.store.verify` does that first.

        Raises:
            ConfigError: not a model folder.
            IntegrityError: the file holds types that a model of ours never holds.
        """
        description = load_description(folder)
        return cls(description, load_estimator(folder / MODEL_FILE))

    def predict_scores(self, rows: "pl.DataFrame | Sequence[Mapping[str, Any]]") -> "np.ndarray[Any, Any]":
        """Probability of the positive value for each row, (n_rows,); rows are a polars frame or a sequence of maps."""
        import polars as pl

        matrix = self.encoder.frame(rows) if isinstance(rows, pl.DataFrame) else self.encoder.rows(rows)
        return self.predict_matrix(matrix)

    def predict_matrix(self, matrix: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        """Probability of the positive value for encoded rows, (n_rows,)."""
        import numpy as np

        return np.asarray(self.estimator.predict_proba(matrix)[:, 1])


def load_estimator(file: Path) -> Any:
    """Load a skops file with our fixed list of trusted types.

    Raises:
        IntegrityError: missing, damaged, or with types that are not trusted; nothing of it was run.
    """
    from zipfile import BadZipFile

    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.load(file, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException as error:
        raise IntegrityError(f"{file}: {error}", "do not load this file; train with the step train") from None
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise IntegrityError(
            f"{file} cannot be read as a model: {error}", "restore the folder, or train again"
        ) from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"
