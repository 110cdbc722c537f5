"""Rows as a model sees them: features described, labels as 0 and 1."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlstep.contracts import Column, DataContract
from mlstep.errors import ConfigError
from mlstep.model import Description, Feature

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

DATA_FILE = "data.parquet"
_KINDS = {"string": "category", "integer": "number", "number": "number", "boolean": "boolean"}


def read_rows(folder: Path) -> "pl.DataFrame":
    """Read the rows of a step's output.

    Raises:
        ConfigError: no `data.parquet` there.
    """
    import polars as pl

    file = folder / DATA_FILE
    if not file.is_file():
        raise ConfigError(f"{folder}: no {DATA_FILE}", "give an output of ingest or split")
    return pl.read_parquet(file)


def labelled(frame: "pl.DataFrame", target: str) -> "pl.DataFrame":
    """Rows whose outcome is known.

    Raises:
        ConfigError: the target's column is missing, or no outcome is known.
    """
    if target not in frame.columns:
        raise ConfigError(f"the target {target} is no column of the rows", "check the contract's strata.role: target")
    known = frame.drop_nulls(target)
    if not known.height:
        raise ConfigError(f"no row has a known outcome in {target}", "wait for outcomes, or take older rows")
    return known


def labels(frame: "pl.DataFrame", target: str, positive: str) -> "np.ndarray[Any, Any]":
    """1 where the target has the positive value, else 0; (n_rows,). Numbers are compared as numbers, so that 1 is 1.0.

    Raises:
        ConfigError: the target holds numbers and the positive value is none.
    """
    import numpy as np
    import polars as pl

    values = frame[target]
    if values.dtype.is_numeric():
        try:
            return (values == float(positive)).cast(pl.Int8).to_numpy().astype(np.int8)
        except ValueError:
            raise ConfigError(
                f"{target} holds numbers, and strata.positive is {positive}", "name a number as positive value"
            ) from None
    return (values.cast(pl.String) == positive).cast(pl.Int8).to_numpy().astype(np.int8)


def positive_value(contract: DataContract) -> str:
    """The target's positive value as text; true when the contract names none."""
    declared = contract.target.positive
    if declared is None or isinstance(declared, bool):
        return "false" if declared is False else "true"
    return str(declared)


def check_classes(found: "np.ndarray[Any, Any]", minimum: int, what: str, description: str) -> None:
    """Refuse rows with too few of one class.

    Raises:
        ConfigError: fewer than `minimum` rows of either class.
    """
    positives = int(found.sum())
    negatives = len(found) - positives
    if min(positives, negatives) < minimum:
        raise ConfigError(
            f"{what}: {positives} rows are {description} and {negatives} are not; {minimum} of each are needed",
            "give more rows, or check strata.positive in the contract",
        )


def describe_features(frame: "pl.DataFrame", contract: DataContract, category_limit: int) -> tuple[Feature, ...]:
    """Describe every feature of a contract from the training rows.

    Raises:
        ConfigError: a feature's column is missing or cannot be used; all in one message.
    """
    problems, found = [], []
    for column in contract.features:
        problem = _problem(frame, column)
        if problem:
            problems.append(problem)
        else:
            found.append(_describe(frame[column.name], column, category_limit))
    if problems:
        raise ConfigError(
            f"contract {contract.name}: " + "; ".join(problems),
            "give such columns strata.role: ignored (or time) in the contract",
        )
    return tuple(found)


def group_frame(frame: "pl.DataFrame", description: Description) -> "pl.DataFrame":
    """The group columns as text, missing values named `missing`.

    Raises:
        ConfigError: a group's column is missing.
    """
    import polars as pl

    absent = [name for name in description.groups if name not in frame.columns]
    if absent:
        raise ConfigError(f"group columns missing: {', '.join(absent)}", "give rows of the model's data contract")
    return frame.select(pl.col(name).cast(pl.String).fill_null("missing") for name in description.groups)


def _problem(frame: "pl.DataFrame", column: Column) -> str | None:
    if column.name not in frame.columns:
        return f"feature {column.name} is no column of the rows"
    if column.type not in _KINDS:
        return f"feature {column.name} is a {column.type}, which no model here reads"
    if frame[column.name].null_count() == frame.height:
        return f"feature {column.name} has no value in any training row"
    return None


def _describe(values: "pl.Series", column: Column, category_limit: int) -> Feature:
    kind = _KINDS[column.type]
    if kind == "number":
        low, high = _bounds(values, column)
        return Feature(column.name, "number", low, high, (), False, not column.required)
    if kind == "boolean":
        return Feature(column.name, "boolean", None, None, (), False, not column.required)
    categories, is_open = _categories(values, column, category_limit)
    return Feature(column.name, "category", None, None, categories, is_open, not column.required)


def _bounds(values: "pl.Series", column: Column) -> tuple[float, float]:
    import polars as pl

    numbers = values.cast(pl.Float64).drop_nulls().drop_nans()
    least, most = float(numbers.min() or 0.0), float(numbers.max() or 0.0)  # type: ignore[arg-type]
    width = most - least
    low = column.minimum if column.minimum is not None else column.exclusive_minimum
    high = column.maximum if column.maximum is not None else column.exclusive_maximum
    return (least - width if low is None else float(low)), (most + width if high is None else float(high))


def _categories(values: "pl.Series", column: Column, limit: int) -> tuple[tuple[str, ...], bool]:
    import polars as pl

    counts = values.cast(pl.String).drop_nulls().value_counts().rows()
    frequent = sorted(counts, key=lambda entry: (-entry[1], entry[0]))[:limit]
    return tuple(sorted(str(value) for value, _ in frequent)), len(counts) > limit
