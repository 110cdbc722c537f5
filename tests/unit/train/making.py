"""Rows, contracts and step runs for the tests of training and judging."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from mlstep.manifest import Origin, write_manifest
from mlstep.registry import load_step
from mlstep.step import StepResult, run_step

QUICK = {"trials": 2, "startup_trials": 1, "folds": 2, "maximum_iterations": 30, "tuning_rows": 600}
PARTS = (("train", 0.0, 0.6), ("valid", 0.6, 0.8), ("test", 0.8, 1.0))


def pumps(rows: int = 1500, seed: int = 3, unfair: float = 0.0) -> pl.DataFrame:
    """Made-up pumps that fail or do not: numbers, texts and booleans, some of them missing; nothing about credit.

    Args:
        unfair: how much hotter pumps of site `north` are, in standard deviations.
    """
    rng = np.random.default_rng(seed)
    site = rng.choice(["north", "south"], rows)
    heat = rng.normal(60, 10, rows) + 10 * unfair * (site == "north")
    maker = rng.choice(["acme", "blum", "corda"], rows, p=[0.5, 0.3, 0.2])
    sealed = rng.random(rows) < 0.5
    risk = (heat - 60) / 8 + (maker == "corda") - 0.8 * sealed - 0.6
    failed = rng.random(rows) < 1 / (1 + np.exp(-risk))
    missing = rng.random(rows) < 0.1
    return pl.DataFrame(
        {
            "pump": [f"P{number:05d}" for number in range(rows)],
            "heat": pl.Series(heat).set(pl.Series(missing), None),
            "hours": rng.integers(0, 20_000, rows),
            "maker": maker,
            "sealed": sealed,
            "site": site,
            "outcome": np.where(failed, "failed", "fine"),
        }
    )


def contract(folder: Path, **changes: Any) -> Path:
    """The pumps' contract; `heat={"logicalType": "date"}` changes keys of a column."""
    types = {"pump": "string", "heat": "number", "hours": "integer", "maker": "string", "sealed": "boolean"}
    types |= {"site": "string", "outcome": "string"}
    roles = {"pump": "entity", "site": "group", "outcome": "target"}
    columns: list[dict[str, Any]] = []
    for name, kind in types.items():
        column: dict[str, Any] = {"name": name, "logicalType": kind, "required": name != "heat"}
        custom = [{"property": "strata.role", "value": roles[name]}] if name in roles else []
        if name == "outcome":
            custom.append({"property": "strata.positive", "value": "failed"})
        columns.append({**column, "customProperties": custom, **changes.get(name, {})})
    content = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "pumps",
        "name": "pumps",
        "version": "1.0.0",
        "status": "active",
        "schema": [{"name": "pumps", "properties": columns}],
    }
    path = folder / "pumps.odcs.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def output(folder: Path, name: str, frame: pl.DataFrame, step: str = "split") -> Path:
    """Rows as another step would have left them, with their manifest."""
    target = folder / name
    target.mkdir(parents=True)
    frame.write_parquet(target / "data.parquet")
    moment = "2026-01-01T00:00:00.000Z"
    write_manifest(target, name, Origin(step, "run", {}, "0", moment, moment), frame.height, None)
    return target


def split(folder: Path, frame: pl.DataFrame) -> dict[str, Path]:
    """Three outputs: train, valid, test, in the order of the rows, below `rows/`."""
    size = frame.height
    return {name: output(folder / "rows", name, frame[int(low * size) : int(high * size)]) for name, low, high in PARTS}


def run(folder: Path, step: str, inputs: dict[str, Path], config: dict[str, Any] | None = None) -> StepResult:
    """Run a step as the engine does; outputs are `<folder>/<step>/<output>`."""
    made = load_step(step)
    outputs = {name: folder / step / name for name in made.outputs}
    return run_step(made, config or {}, inputs, outputs, folder / step / "result.json", "run")


def report(folder: Path, step: str, name: str = "report") -> Any:
    """What a step reported."""
    return json.loads((folder / step / name / "report.json").read_text(encoding="utf-8"))
