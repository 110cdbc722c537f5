"""`mlstep score`: answer a whole file with the champion, as the service would, and keep a record of every row."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlstep import history, platform, predictions, store
from mlstep.canonical import iso, now
from mlstep.errors import ConfigError
from mlstep.ids import new_id

if TYPE_CHECKING:
    import polars as pl

    from mlstep.model import Feature, Model

CHUNK_ROWS = 250_000
_ANSWER = ("request_id", "score", "decision", "fallback", "fallback_reason", "model", "version", "model_digest")


@dataclass(frozen=True)
class Answerer:
    """Who answers a batch; `loaded` is None while there is no champion."""

    model: str
    champion: history.Entry | None
    loaded: "Model | None"


def main(argv: list[str]) -> int:
    """Score a file; the log is complete before the output appears under its name."""
    parser = argparse.ArgumentParser(
        prog="mlstep score",
        epilog="example: mlstep score --root ~/.local/share/strata/demo-dev --in rows.parquet --out scored.parquet",
    )
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    parser.add_argument("--model", help="default: the platform's default model")
    parser.add_argument("--in", dest="source", type=Path, required=True, help="CSV or Parquet")
    parser.add_argument(
        "--out", dest="target", type=Path, required=True, help="CSV or Parquet; the input's columns and the answer"
    )
    options = parser.parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
    facts = platform.load(options.root)
    answerer = find_answerer(facts, options.model or str(facts.stage("registry")["default_model"]))
    begun = time.perf_counter()
    rows, fallbacks = score_file(options.root, answerer, options.source, options.target, now())
    seconds = time.perf_counter() - begun
    who = (
        f"{answerer.model} v{answerer.champion.version}"
        if answerer.champion
        else f"{answerer.model} without a champion"
    )
    print(
        f"{options.target}: {rows:,} rows answered by {who}, {fallbacks:,} with the fallback, "
        f"{rows / max(seconds, 1e-9):,.0f} rows/s"
    )
    return 0


def find_answerer(facts: platform.Platform, model: str) -> Answerer:
    """The champion, from verified history and verified bytes.

    Raises:
        IntegrityError: history or bytes do not verify; a batch can wait, so nothing is answered.
    """
    from mlstep_serve.scorer import load_model

    champion = history.current(facts, model)
    return Answerer(model, champion, load_model(store.verify(facts.root, champion.model_digest)) if champion else None)


def score_file(root: Path, answerer: Answerer, source: Path, target: Path, moment: datetime) -> tuple[int, int]:
    """Score a file in chunks; returns rows and fallbacks.

    Raises:
        ConfigError: the files are not CSV or Parquet, or the input cannot be read.
    """
    import polars as pl

    name = new_id(moment)
    answered: list[pl.DataFrame] = []
    rows = fallbacks = 0
    for number, chunk in enumerate(_chunks(source)):
        identifiers = pl.format(f"{name}-{{}}", pl.int_range(rows, rows + chunk.height, eager=True))
        begun = time.perf_counter()
        judged = answer(answerer, chunk)
        latency = round((time.perf_counter() - begun) * 1000 / max(1, chunk.height), 6)
        record = _records(answerer, judged, pl.select(identifiers).to_series(), moment, latency)
        day = predictions.folder(root) / answerer.model / "champion" / f"date={iso(moment)[:10]}"
        _write(day / f"batch-{name}-{number:05d}.parquet", record)
        answered.append(
            pl.concat([chunk.drop(set(_ANSWER) & set(chunk.columns)), record.select(_ANSWER)], how="horizontal")
        )
        rows += chunk.height
        fallbacks += int(record["fallback"].sum())
        print(f"{rows:,} rows", file=sys.stderr)
    _write(target, pl.concat(answered) if answered else pl.DataFrame())
    return rows, fallbacks


def answer(answerer: Answerer, chunk: "pl.DataFrame") -> "pl.DataFrame":
    """Features as kept, `invalid`, `unknown_keys`, score, decision, fallback and reason of each row."""
    import polars as pl

    from mlstep_serve.rows import NO_CHAMPION

    if answerer.loaded is None:
        values = {
            "score": NO_CHAMPION.score,
            "decision": NO_CHAMPION.decision,
            "fallback": True,
            "fallback_reason": "no champion yet",
        }
        types = {"score": pl.Float64, "decision": pl.String, "fallback": pl.Boolean, "fallback_reason": pl.String}
        columns = [pl.Series(name, [value] * chunk.height, dtype=types[name]) for name, value in values.items()]
        return pl.DataFrame([*columns, pl.Series("invalid", [None] * chunk.height, dtype=pl.String)])
    features = answerer.loaded.description.features
    typed = chunk.select([_typed(feature, chunk) for feature in features])
    good = (
        chunk.with_columns(_good(feature, chunk, typed).alias(feature.name) for feature in features)
        .select(pl.all_horizontal([feature.name for feature in features]))
        .to_series()
    )
    return _judged(answerer.loaded, chunk, typed, good)


def _judged(model: "Model", chunk: "pl.DataFrame", typed: "pl.DataFrame", good: "pl.Series") -> "pl.DataFrame":
    import json

    import numpy as np
    import polars as pl

    from mlstep_serve.rows import check, fallback_of

    description, fallback = model.description, fallback_of(model.description)
    names = [feature.name for feature in description.features]
    scores = np.full(chunk.height, np.nan)
    if good.any():
        scores[good.to_numpy()] = model.predict_scores(typed.filter(good))
    low, high = description.score["minimum"], description.score["maximum"]
    fine = good.to_numpy() & np.isfinite(scores) & (scores >= low) & (scores <= high)
    reasons: list[str | None] = [None] * chunk.height
    invalid: list[str | None] = [None] * chunk.height
    # Bad rows are few: each is explained by the very check of the service.
    for index in np.flatnonzero(~good.to_numpy()).tolist():
        row = check(description, {name: _sent(chunk, typed, index, name) for name in names})
        reasons[index] = row.reason or "a value is of another kind than in training"
        invalid[index] = json.dumps(row.invalid, sort_keys=True, ensure_ascii=False) if row.invalid else None
    for index in np.flatnonzero(good.to_numpy() & ~fine).tolist():
        reasons[index] = f"the model's score {scores[index]:g} is outside {low:g} to {high:g}"
    above = scores >= description.threshold
    decisions = np.where(above, description.decisions["at_or_above"], description.decisions["below"])
    ok = pl.Series("ok", fine)
    frame = typed.rename({name: predictions.FEATURE + name for name in names}).with_columns(
        ok,
        pl.Series("score", scores),
        pl.Series("decision", decisions),
        pl.Series("fallback_reason", reasons, dtype=pl.String),
        pl.Series("invalid", invalid, dtype=pl.String),
    )  # fmt: skip
    return frame.with_columns(
        pl.when("ok").then("score").otherwise(pl.lit(fallback.score, dtype=pl.Float64)).alias("score"),
        pl.when("ok").then("decision").otherwise(pl.lit(fallback.decision)).alias("decision"),
        pl.col("ok").not_().alias("fallback"),
    ).drop("ok")


def _sent(chunk: "pl.DataFrame", typed: "pl.DataFrame", index: int, name: str) -> Any:
    """A value of its kind where it has one (one wrong value makes a CSV column text), else as it was sent."""
    value = typed.item(index, name)
    return chunk.item(index, name) if value is None and name in chunk.columns else value


def _records(
    answerer: Answerer, judged: "pl.DataFrame", identifiers: "pl.Series", moment: datetime, latency: float
) -> "pl.DataFrame":
    import polars as pl

    types = predictions.schema()
    champion = answerer.champion
    contract = answerer.loaded.description.contract if answerer.loaded else {}
    constant = {
        "time": moment,
        "model": answerer.model,
        "version": champion.version if champion else None,
        "model_digest": champion.model_digest if champion else None,
        "role": "champion",
        "latency_ms": latency,
        "schema": contract.get("sha256"),
        "source": "batch",
        "unknown_keys": 0,
    }
    columns = [pl.lit(value, dtype=types[name]).alias(name) for name, value in constant.items()]
    return judged.with_columns(identifiers.alias("request_id"), *columns)


def _typed(feature: "Feature", chunk: "pl.DataFrame") -> "pl.Expr":
    """A feature's column in the type of its kind; what is of another kind becomes null."""
    import polars as pl

    kinds: dict[str, Any] = {"number": pl.Float64(), "boolean": pl.Boolean(), "category": pl.String()}
    kind = kinds[feature.kind]
    if feature.name not in chunk.columns:
        return pl.lit(None, dtype=kind).alias(feature.name)
    column, found = pl.col(feature.name), chunk.schema[feature.name]
    if feature.kind == "boolean" and found == pl.String:
        return column.str.to_lowercase().replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        )
    if feature.kind == "boolean" and found != pl.Boolean:
        return pl.lit(None, dtype=kind).alias(feature.name)
    if feature.kind == "number" and found == pl.Boolean:
        return pl.lit(None, dtype=kind).alias(feature.name)
    typed = column.cast(kind, strict=False)
    return typed.replace([float("nan")], [None]).alias(feature.name) if feature.kind == "number" else typed


def _good(feature: "Feature", chunk: "pl.DataFrame", typed: "pl.DataFrame") -> "pl.Series":
    import polars as pl

    values = typed[feature.name]
    empty = values.is_null()
    sent = chunk[feature.name].is_null() if feature.name in chunk.columns else empty
    missing_is_fine = (empty & sent) if feature.missing_allowed else pl.repeat(False, chunk.height, eager=True)
    if feature.kind == "number":
        low = float("-inf") if feature.minimum is None else feature.minimum
        high = float("inf") if feature.maximum is None else feature.maximum
        right = values.is_finite() & values.is_between(low, high)
    elif feature.kind == "category" and not feature.open_categories:
        right = values.is_in(list(feature.categories))
    else:
        right = ~empty
    return right.fill_null(False) | missing_is_fine


def _chunks(source: Path) -> "Iterator[pl.DataFrame]":
    import polars as pl

    try:
        if source.suffix == ".parquet":
            rows = pl.scan_parquet(source)
        elif source.suffix == ".csv":
            rows = pl.scan_csv(source, infer_schema_length=10_000, try_parse_dates=False)
        else:
            raise ConfigError(f"{source}: neither .csv nor .parquet", "give a CSV or Parquet file")
        yield from rows.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"{source}: {error}", "give a CSV or Parquet file") from None


def _write(target: Path, rows: "pl.DataFrame") -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if target.suffix == ".csv":
            rows.write_csv(temporary)
        else:
            rows.write_parquet(temporary)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
