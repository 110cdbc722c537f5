"""The model folder: what goes in comes out, and nothing else is loaded."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import skops.io

from mlstep.canonical import write_atomic
from mlstep.errors import ConfigError, IntegrityError
from mlstep.model import Encoder, Feature, Model, load_description, load_estimator
from tests.unit.train.conftest import Trained

FEATURES = (
    Feature("x", "number", 0.0, 10.0, (), False, True),
    Feature("c", "category", None, None, ("a", "b"), False, False),
    Feature("o", "category", None, None, ("a",), True, True),
    Feature("b", "boolean", None, None, (), False, False),
)
ROW = {"x": 5, "c": "a", "o": "a", "b": True}


@pytest.mark.parametrize("encoding", ["codes", "one_hot"])
def test_rows_and_frames_are_encoded_alike(encoding: str) -> None:
    """One row as a map gives the numbers that the same row in a frame gives, missing and unknown values included."""
    rows = [ROW, {**ROW, "x": None, "c": "zzz"}, {**ROW, "o": "other", "b": False}]
    encoder = Encoder(FEATURES, encoding)  # type: ignore[arg-type]
    np.testing.assert_array_equal(encoder.rows(rows), encoder.frame(pl.DataFrame(rows, strict=False)))


def test_missing_columns_are_named() -> None:
    """A frame without the model's columns is refused, and all of them are named."""
    with pytest.raises(ConfigError, match="c, o, b"):
        Encoder(FEATURES, "codes").frame(pl.DataFrame({"x": [1.0]}))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, None),
        ({"x": None}, None),
        ({"x": math.nan}, None),
        ({"x": 10.5}, "x: 10.5 is outside 0.0 to 10.0"),
        ({"x": "5"}, "x: '5' is not a number"),
        ({"x": True}, "x: True is not a number"),
        ({"c": None}, "c: missing"),
        ({"c": "new"}, "c: 'new' was not seen in training"),
        ({"o": "new"}, None),
        ({"c": 3}, "c: 3 is not a text"),
        ({"b": 1}, "b: 1 is not true or false"),
    ],
)
def test_values_that_cannot_be_scored_are_named(change: dict[str, object], problem: str | None) -> None:
    """Each kind of feature says what is wrong with a value, or that nothing is."""
    row = {**ROW, **change}
    found = [reason for feature in FEATURES if (reason := feature.problem(row.get(feature.name)))]
    assert found == ([] if problem is None else [problem])


def test_loaded_model_scores_and_decides(trained: Trained) -> None:
    """A folder is loaded, scores single rows as it scores frames, and decides by its threshold."""
    model = Model.load(trained.model)
    frame = pl.read_parquet(trained.parts["test"] / "data.parquet").head(20)
    scores = model.predict_scores(frame)
    assert model.predict_scores(frame.to_dicts()) == pytest.approx(scores, abs=1e-12)
    assert ((scores > 0) & (scores < 1)).all()
    assert {model.description.decide(0.0), model.description.decide(1.0)} == {"approve", "decline"}


def test_file_with_other_types_is_not_loaded(tmp_path: Path) -> None:
    """A skops file that holds a type outside our fixed list is refused before anything of it runs."""
    file = tmp_path / "model.skops"
    write_atomic(file, skops.io.dumps({"harmless": Trained}))
    with pytest.raises(IntegrityError, match="Trained"):
        load_estimator(file)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing"])
def test_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Half a file is no model, and the message says so."""
    file = tmp_path / "model.skops"
    file.write_bytes(content)
    with pytest.raises(IntegrityError, match="cannot be read as a model"):
        load_estimator(file)


def test_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    """A description without our version is not guessed at."""
    (tmp_path / "model.json").write_text('{"name": "x"}', encoding="utf-8")
    with pytest.raises(ConfigError, match="model_version None"):
        load_description(tmp_path)
