"""Split: by time or by entity, never at random unless asked; refuses parts from which nothing can be learned."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mlstep.contracts import DataContract, read_contract
from mlstep.data.frames import read_rows, schema_of, write_rows
from mlstep.errors import ConfigError
from mlstep.step import Context, StepResult

if TYPE_CHECKING:
    import polars as pl

PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class SplitConfig:
    """Configuration of split.

    Attributes:
        by: `auto` takes the contract's time column, else its entity; `random` must be asked for.
        valid, test: shares of the rows; the rest trains.
        minimum_rows: fewest rows of a part.
        minimum_class_rows: fewest rows of either outcome in a part.
        seed: of `entity` and `random`; the same rows go to the same part.
    """

    by: Literal["auto", "time", "entity", "random"] = "auto"
    valid: float = 0.2
    test: float = 0.2
    minimum_rows: int = 200
    minimum_class_rows: int = 10
    seed: int = 7


class Split:
    """Divide labelled rows into train, valid and test."""

    name: ClassVar[str] = "split"
    config_type: ClassVar[type] = SplitConfig
    inputs: ClassVar[tuple[str, ...]] = ("data", "contract")
    optional_inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = PARTS

    def run(self, ctx: Context[SplitConfig]) -> StepResult:
        """Write the three parts, or refuse with reasons."""
        config = ctx.config
        _check(config)
        contract = read_contract(ctx.inputs["contract"])
        rows = read_rows(ctx.inputs["data"])
        labelled = rows.drop_nulls(contract.target.name)
        way, refusal = _way(config, contract)
        if way is None:
            return StepResult("fail", {"rows": float(rows.height)}, [refusal])
        parts, notes = _divide(labelled, contract, config, way)
        reasons = _refusals(parts, contract, config)
        metrics: dict[str, float] = {
            "rows": float(rows.height),
            "unlabelled_rows": float(rows.height - labelled.height),
        }
        for name, part in parts.items():
            write_rows(part, ctx.outputs[name])
            metrics[f"{name}_rows"] = float(part.height)
            metrics[f"{name}_positive_share"] = (
                round(_positives(part, contract) / part.height, 6) if part.height else 0.0
            )
        overlap = _overlap(parts, contract)
        if overlap:
            metrics["test_entities_also_in_train"] = float(overlap)
            notes.append(
                f"{overlap} entities of the test part are in the train part too; split by entity if they must not be"
            )
        sizes = {name: part.height for name, part in parts.items()}
        schemas = {name: schema_of(part) for name, part in parts.items()}
        return StepResult("fail" if reasons else "pass", metrics, reasons + notes, sizes, schemas)


def _check(config: SplitConfig) -> None:
    problems = [
        f"{name} is {value}, allowed 0.01 to 0.8"
        for name, value in (("valid", config.valid), ("test", config.test))
        if not 0.01 <= value <= 0.8
    ]
    if config.valid + config.test > 0.9:
        problems.append(f"valid and test take {config.valid + config.test:.2f} of the rows, at most 0.90 is allowed")
    if problems:
        raise ConfigError("step split: " + "; ".join(problems), "leave rows to train on")


def _way(config: SplitConfig, contract: DataContract) -> tuple[str | None, str]:
    """How to split, or None and why not."""
    have = {"time": contract.time is not None, "entity": contract.entity is not None, "random": True}
    if config.by == "auto":
        found = next((way for way in ("time", "entity") if have[way]), None)
        return (
            found,
            ""
            if found
            else "the contract names neither a time nor an entity column: name one, or ask for `by: random`",
        )
    if not have[config.by]:
        return (
            None,
            f"the contract names no {config.by} column to split by: give one strata.role: {config.by}",
        )
    return config.by, ""


def _divide(
    rows: "pl.DataFrame", contract: DataContract, config: SplitConfig, way: str
) -> tuple[dict[str, "pl.DataFrame"], list[str]]:
    if rows.height == 0:
        return dict.fromkeys(PARTS, rows), []
    if way == "time":
        assert contract.time is not None
        return _by_time(rows, contract.time.name, config)
    if way == "entity":
        assert contract.entity is not None
        keys = [str(value) for value in rows[contract.entity.name].to_list()]
        note = f"split by {contract.entity.name}: all rows of one entity are in one part"
    else:
        keys = [str(number) for number in range(rows.height)]
        note = f"split at random with seed {config.seed}, as asked for"
    return _by_key(rows, keys, config), [note]


def _by_time(rows: "pl.DataFrame", column: str, config: SplitConfig) -> tuple[dict[str, "pl.DataFrame"], list[str]]:
    import polars as pl

    ordered = rows.filter(pl.col(column).is_not_null()).sort(column, maintain_order=True)
    times = ordered[column]
    if not len(times):
        return dict.fromkeys(PARTS, ordered), [f"{column} is empty in every row"]
    # A border is a moment, so rows of one moment never stand on both sides.
    first_valid = times[min(int(len(times) * (1 - config.valid - config.test)), len(times) - 1)]
    first_test = times[min(int(len(times) * (1 - config.test)), len(times) - 1)]
    value = pl.col(column)
    parts = {
        "train": ordered.filter(value < first_valid),
        "valid": ordered.filter((value >= first_valid) & (value < first_test)),
        "test": ordered.filter(value >= first_test),
    }
    notes = [
        f"split by {column}: train until {_moment(first_valid)}, valid until {_moment(first_test)}, test from then on"
    ]
    if ordered.height < rows.height:
        notes.append(f"{rows.height - ordered.height} rows without {column} are in no part")
    return parts, notes


def _by_key(rows: "pl.DataFrame", keys: list[str], config: SplitConfig) -> dict[str, "pl.DataFrame"]:
    import polars as pl

    places = {key: _place(key, config.seed) for key in set(keys)}
    place = pl.Series([places[key] for key in keys], dtype=pl.Float64)
    train_until, valid_until = 1 - config.valid - config.test, 1 - config.test
    return {
        "train": rows.filter(place < train_until),
        "valid": rows.filter((place >= train_until) & (place < valid_until)),
        "test": rows.filter(place >= valid_until),
    }


def _place(key: str, seed: int) -> float:
    """A number in [0, 1) that depends on nothing but key and seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8], "big") / 2**64


def _refusals(parts: dict[str, "pl.DataFrame"], contract: DataContract, config: SplitConfig) -> list[str]:
    reasons = []
    for name, part in parts.items():
        positives = _positives(part, contract)
        if part.height < config.minimum_rows:
            reasons.append(f"{name} has {part.height} rows, at least {config.minimum_rows} are needed: give more data")
        elif min(positives, part.height - positives) < config.minimum_class_rows:
            counts = f"{positives} positive and {part.height - positives} negative rows"
            reasons.append(
                f"{name} has {counts}, at least {config.minimum_class_rows} of each are needed: give more data"
            )
    return reasons


def _positives(part: "pl.DataFrame", contract: DataContract) -> int:
    positive = True if contract.target.positive is None else contract.target.positive
    return int((part[contract.target.name] == positive).sum())


def _overlap(parts: dict[str, "pl.DataFrame"], contract: DataContract) -> int:
    if contract.entity is None or contract.entity.name not in parts["train"].columns:
        return 0
    name = contract.entity.name
    return int(parts["test"][name].unique().is_in(parts["train"][name].unique().to_list()).sum())


def _moment(value: Any) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)
