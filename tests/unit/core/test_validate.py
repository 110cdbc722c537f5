"""Every row is compared with the contract; what breaks it is counted exactly and shown masked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlstep.contracts import Column, DataContract, Rule, read_contract
from mlstep.data.synthetic import generate
from mlstep.steps.validate import check_rows

TARGET = Column("bad", "boolean", role="target", positive=True)


def contract(*columns: Column) -> DataContract:
    """A contract of these columns and a target."""
    return DataContract("rows", "1", "rows", "0" * 64, "rows", (*columns, TARGET))


def check(frame: pl.DataFrame, rules: DataContract) -> dict[str, dict[str, Any]]:
    """Report entries by id."""
    return {entry["id"]: entry for entry in check_rows(frame.lazy(), rules, frame.height)}


def rows(**columns: list[Any]) -> pl.DataFrame:
    """A frame with a target of both classes."""
    size = len(next(iter(columns.values())))
    return pl.DataFrame({**columns, "bad": [True] + [False] * (size - 1)}, strict=False)


def test_generated_rows_keep_their_contract(credit_contract: Path) -> None:
    """The reference rows pass every check of the reference contract, drifted and unfair ones too."""
    rules = read_contract(credit_contract)
    for options in ({}, {"drift": 1.0, "unfairness": 1.0, "pii": 0.1, "label_delay_days": 90.0}):
        found = check(generate(5_000, 3, **options), rules)  # type: ignore[arg-type]
        assert [name for name, entry in found.items() if not entry["passed"]] == []
        assert len(found) > 40


@pytest.mark.parametrize(
    ("column", "values", "name", "violations"),
    [
        (Column("x", "number", required=True), [1.0, None, float("nan")], "x.required", 2),
        (Column("x", "string", unique=True), ["a", "b", "a"], "x.unique", 2),
        (Column("x", "number", minimum=0), [-1.0, 0.0, None], "x.minimum", 1),
        (Column("x", "integer", maximum=9), [9, 10, 11], "x.maximum", 2),
        (Column("x", "number", exclusive_minimum=0, exclusive_maximum=2), [0.0, 1.0, 2.0], "x.exclusive_maximum", 1),
        (Column("x", "number", multiple_of=0.5), [0.5, 0.7, 1.0], "x.multiple_of", 1),
        (Column("x", "number"), [1.0, float("inf"), 2.0], "x.finite", 1),
        (Column("x", "integer"), [1.0, 1.5, None], "x.whole", 1),
        (Column("x", "string", min_length=2, max_length=3), ["a", "ab", "abcd"], "x.max_length", 1),
        (Column("x", "string", pattern="^A"), ["A1", "B1", None], "x.pattern", 1),
    ],
)
def test_each_check_counts_exactly(column: Column, values: list[Any], name: str, violations: int) -> None:
    """One kind of check, a known number of violations."""
    found = check(rows(x=values), contract(column))
    assert (found[name]["violations"], found[name]["passed"]) == (violations, False)


def test_dates_are_compared_as_moments() -> None:
    """Bounds of a date column hold for date and timestamp values."""
    column = Column("x", "date", minimum="2026-01-01T00:00:00", maximum="2026-12-31T00:00:00")
    frame = rows(x=["2025-12-31", "2026-06-01", "2027-01-01"]).with_columns(pl.col("x").str.to_date())
    found = check(frame, contract(column))
    assert (found["x.minimum"]["violations"], found["x.maximum"]["violations"]) == (1, 1)


def test_rules_have_limits_and_severity() -> None:
    """A quality rule allows what its operator allows; severity warning only warns."""
    rule = Rule("nullValues", "mustBeLessThan", (50.0,), percent=True, severity="warn")
    values = Rule("invalidValues", "mustBe", (0.0,), valid_values=("a",))
    found = check(rows(x=["a", None, "secret"]), contract(Column("x", "string", rules=(rule, values))))
    assert found["x.nullValues_0"]["passed"]
    assert found["x.invalidValues_1"]["violations"] == 1
    assert found["x.invalidValues_1"]["examples"] == ["se***(6 characters)"]
    half = check(rows(x=["a", None]), contract(Column("x", "string", rules=(rule,))))
    assert (half["x.nullValues_0"]["passed"], half["x.nullValues_0"]["severity"]) == (False, "warn")


def test_types_absent_and_unexpected_columns() -> None:
    """A wrong type and an absent column fail, an unexpected column warns; values of a wrong type are counted."""
    found = check(rows(x=["1", "two", "3"], more=[1, 2, 3]), contract(Column("x", "number"), Column("gone", "string")))
    assert (found["x.type"]["passed"], found["x.type"]["violations"]) == (False, 1)
    assert (found["gone.present"]["passed"], found["gone.present"]["severity"]) == (False, "fail")
    assert (found["more.expected"]["passed"], found["more.expected"]["severity"]) == (False, "warn")


def test_private_numbers_are_masked() -> None:
    """Examples of a confidential column show no number, others do."""
    open_found = check(rows(x=[123456, 1]), contract(Column("x", "integer", maximum=5)))
    closed = Column("x", "integer", maximum=5, classification="confidential")
    closed_found = check(rows(x=[123456, 1]), contract(closed))
    assert open_found["x.maximum"]["examples"] == [123456]
    assert closed_found["x.maximum"]["examples"] == ["12***(6 characters)"]


def test_a_target_has_two_classes() -> None:
    """One class, three values, or no positive value are told."""
    one = pl.DataFrame({"x": [1, 2], "bad": [False, False]})
    assert not check(one, contract(Column("x", "integer")))["bad.classes"]["passed"]
    three = DataContract(
        "r", "1", "r", "0", "r", (Column("x", "integer"), replace(TARGET, type="string", positive="y"))
    )
    frame = pl.DataFrame({"x": [1, 2, 3], "bad": ["y", "n", "m"]})
    assert not check(frame, three)["bad.classes"]["passed"]


def test_no_rows_fail() -> None:
    """An empty table does not pass by having no violation."""
    empty = pl.DataFrame(schema={"x": pl.Int64, "bad": pl.Boolean})
    assert not check(empty, contract(Column("x", "integer")))["table.rows"]["passed"]
