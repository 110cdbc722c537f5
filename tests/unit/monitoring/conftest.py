"""A platform whose champion has a training profile, answers on demand, and a receiver in this process."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlstep import history, predictions, truths
from mlstep.canonical import iso
from mlstep.ids import new_id
from mlstep.monitoring import signals
from mlstep.platform import Platform
from mlstep.statistics import drift
from mlstep_serve.compact import write_parquet
from tests.unit.serve import kit

START = datetime(2100, 3, 2, 12, tzinfo=UTC)
"""Later than any test's promotion, so that every answer is the champion's."""


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model with the profile of 5,000 rows; tests only read it."""
    rows = features(np.random.default_rng(1), 5_000, 0.0)
    scores = np.random.default_rng(2).beta(2, 8, 5_000)
    profile = {**drift.profile(rows, kit.FEATURES), "score": drift.score_profile(scores)}
    return kit.make_model(tmp_path_factory.mktemp("model") / "one", profile=profile)


@pytest.fixture
def facts(tmp_path: Path, model_folder: Path) -> Platform:
    """A platform of all stages whose champion is version 1."""
    found = kit.make_platform(tmp_path / "root")
    kit.promote(found, model_folder, 1)
    return found


@pytest.fixture
def watched() -> signals.Signals:
    """The signals as they are delivered."""
    return signals.load(kit.SIGNALS)


def features(rng: np.random.Generator, rows: int, shift: float) -> pl.DataFrame:
    """Features of the small model; income is `shift` standard deviations lower."""
    return pl.DataFrame(
        {
            "income": np.clip(rng.normal(50_000 - 15_000 * shift, 15_000, rows), 0, 200_000),
            "age": rng.uniform(18, 80, rows),
            "home": rng.choice(["own", "rent"], rows),
            "employed": rng.integers(0, 2, rows).astype(bool),
        }
    )


@pytest.fixture
def answer(facts: Platform) -> Callable[..., pl.DataFrame]:
    """A function that puts answers into the log as one Parquet file, at a moment, and returns them."""

    def put(rows: int, moment: datetime, shift: float = 0.0, seed: int = 3, **columns: Any) -> pl.DataFrame:
        rng = np.random.default_rng(seed)
        champion = history.current(facts, kit.MODEL)
        assert champion is not None
        name = new_id(moment, seed.to_bytes(10))
        scores = rng.beta(2, 8, rows)
        constant = {
            "model": kit.MODEL, "version": 1, "model_digest": champion.model_digest, "role": "champion",
            "fallback": False, "fallback_reason": None, "latency_ms": 1.0, "schema": "c", "source": "api",
            "invalid": None, "unknown_keys": 0,
            **columns,
        }  # fmt: skip
        types = predictions.schema()
        frame = features(rng, rows, shift).rename(lambda column: predictions.FEATURE + column)
        frame = frame.with_columns(
            pl.Series("request_id", [f"{name}-{number:05d}" for number in range(rows)]),
            pl.Series("time", [moment] * rows, dtype=types["time"]),
            pl.Series("score", scores),
            pl.Series("decision", np.where(scores >= 0.5, "decline", "approve")),
            *[pl.lit(value, dtype=types.get(key, pl.Float64())).alias(key) for key, value in constant.items()],
        )
        folder = predictions.folder(facts.root) / kit.MODEL / "champion" / f"date={moment.date().isoformat()}"
        write_parquet(folder / f"{name}.parquet", frame)
        return frame

    return put


def hand_in(root: Path, answers: pl.DataFrame, labels: np.ndarray[Any, Any], groups: list[str]) -> None:
    """Hand in outcomes of answers and sort them."""
    stamp = iso(START)
    rows = zip(answers["request_id"], labels.tolist(), groups, strict=True)
    records = [
        {"request_id": name, "outcome": int(label), "observed_at": stamp, "groups": {"region": group}}
        for name, label, group in rows
    ]
    truths.take(root, records)
    truths.sort_inbox(root)
