"""Rows are split by time or entity; parts that cannot be learned from are refused with the reason."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from mlstep.data.synthetic import generate
from mlstep.errors import ConfigError
from mlstep.manifest import Origin, write_manifest
from mlstep.step import StepResult, run_step
from mlstep.steps.split import PARTS, Split

START = datetime(2025, 1, 1)  # noqa: DTZ001 - rows are UTC without saying so


def contract(folder: Path, *roles: tuple[str, str, str]) -> Path:
    """A contract with a feature, a target and columns of (name, type, role)."""
    extra = [
        {"name": name, "logicalType": kind, "customProperties": [{"property": "strata.role", "value": role}]}
        for name, kind, role in (("bad", "boolean", "target"), *roles)
    ]
    content = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "x", "version": "1", "status": "active", "name": "rows",
        "schema": [{"name": "rows", "properties": [{"name": "x", "logicalType": "integer"}, *extra]}],
    }  # fmt: skip
    file = folder / "c.odcs.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def frame(rows: int, **more: Any) -> pl.DataFrame:
    """Rows whose every fifth outcome is bad."""
    return pl.DataFrame({"x": range(rows), "bad": [number % 5 == 0 for number in range(rows)], **more})


def split(folder: Path, rows: pl.DataFrame, rules: Path, **config: Any) -> tuple[StepResult, dict[str, pl.DataFrame]]:
    """Run the step; return its result and the parts it wrote."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    rows.write_parquet(data / "data.parquet")
    write_manifest(data, "data", Origin("ingest", "r", {}, "0", "-", "-"), rows.height, None)
    outputs = {name: folder / name for name in PARTS}
    result = run_step(Split(), config, {"data": data, "contract": rules}, outputs, folder / "r.json", "r")
    files = {name: path / "data.parquet" for name, path in outputs.items()}
    return result, {name: pl.read_parquet(file) for name, file in files.items() if file.exists()}


def test_time_comes_first(tmp_path: Path, credit_contract: Path) -> None:
    """By default every training row is older than every validation row, and those older than every test row."""
    rows = generate(5_000, 1).sample(fraction=1.0, shuffle=True, seed=1)
    result, parts = split(tmp_path, rows, credit_contract)
    assert result.decision == "pass"
    times = {name: part["applied_at"] for name, part in parts.items()}
    assert times["train"].max() < times["valid"].min()  # type: ignore[operator]
    assert times["valid"].max() < times["test"].min()  # type: ignore[operator]
    assert sum(part.height for part in parts.values()) == 5_000
    assert parts["test"].height == pytest.approx(1_000, abs=5)


def test_one_moment_is_on_one_side(tmp_path: Path) -> None:
    """Rows of one moment never stand in two parts."""
    moments = [START + timedelta(days=number // 300) for number in range(3_000)]
    rules = contract(tmp_path, ("at", "timestamp", "time"))
    _, parts = split(tmp_path, frame(3_000, at=moments), rules)
    days = {name: set(part["at"].to_list()) for name, part in parts.items()}
    assert not days["train"] & days["valid"]
    assert not days["valid"] & days["test"]


def test_one_entity_is_on_one_side(tmp_path: Path) -> None:
    """Without a time, all rows of an entity are in one part, whatever the order of the rows."""
    rules = contract(tmp_path, ("who", "string", "entity"))
    rows = frame(4_000, who=[f"p{number % 997}" for number in range(4_000)])
    _, parts = split(tmp_path, rows, rules)
    who = {name: set(part["who"].to_list()) for name, part in parts.items()}
    assert sum(len(names) for names in who.values()) == 997
    _, shuffled = split(tmp_path, rows.reverse(), rules)
    assert {name: set(part["who"].to_list()) for name, part in shuffled.items()} == who


def test_random_is_only_done_when_asked(tmp_path: Path) -> None:
    """With neither time nor entity the step refuses; `by: random` is reproducible and says so."""
    rules = contract(tmp_path)
    refused, parts = split(tmp_path, frame(2_000), rules)
    assert refused.decision == "fail"
    assert "by: random" in refused.reasons[0]
    assert parts == {}
    asked, first = split(tmp_path, frame(2_000), rules, by="random")
    _, second = split(tmp_path, frame(2_000), rules, by="random")
    assert asked.decision == "pass"
    assert all(first[name].equals(second[name]) for name in PARTS)


def test_parts_that_teach_nothing_are_refused(tmp_path: Path) -> None:
    """Too few rows, or one outcome only, in any part, is a fail that names the part."""
    rules = contract(tmp_path, ("at", "timestamp", "time"))
    few, _ = split(tmp_path, frame(100, at=[START + timedelta(days=n) for n in range(100)]), rules)
    assert few.decision == "fail"
    assert {reason.split()[0] for reason in few.reasons if "at least" in reason} == set(PARTS)
    moments = [START + timedelta(hours=number) for number in range(3_000)]
    one_sided = frame(3_000, at=moments).with_columns((pl.col("bad") & (pl.col("x") < 2_000)).alias("bad"))
    result, _ = split(tmp_path, one_sided, rules)
    assert result.decision == "fail"
    assert "test has 0 positive" in " ".join(result.reasons)


def test_rows_without_an_outcome_are_left_out(tmp_path: Path, credit_contract: Path) -> None:
    """Outcomes that are not known yet are in no part, and counted."""
    result, parts = split(tmp_path, generate(5_000, 1, label_delay_days=100), credit_contract)
    assert result.metrics["unlabelled_rows"] > 500
    assert all(part["defaulted"].null_count() == 0 for part in parts.values())


def test_returning_entities_are_told(tmp_path: Path) -> None:
    """Split by time, entities of the test part that were trained on are counted."""
    rules = contract(tmp_path, ("at", "timestamp", "time"), ("who", "string", "entity"))
    moments = [START + timedelta(hours=number) for number in range(2_000)]
    rows = frame(2_000, at=moments, who=[f"p{number % 50}" for number in range(2_000)])
    result, _ = split(tmp_path, rows, rules)
    assert result.metrics["test_entities_also_in_train"] == 50


def test_shares_must_leave_rows_to_train_on(tmp_path: Path, credit_contract: Path) -> None:
    """Shares out of range and shares that take everything are one error."""
    with pytest.raises(ConfigError) as caught:
        split(tmp_path, generate(500, 1), credit_contract, valid=0.9, test=0.3)
    assert "valid is 0.9" in str(caught.value)
    assert "at most 0.90" in str(caught.value)
