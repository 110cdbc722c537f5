"""A contract compiled to polars expressions: every check of every column counted in one pass over the rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from mlstep.contracts.model import Column, DataContract, Rule, Scalar, Severity
from mlstep.contracts.rules import holds
from mlstep.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

EXACTLY_ZERO = Rule("violations", "mustBe", (0.0,))


@dataclass(frozen=True)
class Check:
    """One check of one column.

    Attributes:
        column: the column; None for the table.
        name: what is checked.
        expected: what the contract demands, for people.
        violation: a boolean expression per row, true where the row breaks the check.
        severity: fail or warn.
        rule: how many violations are allowed; none, unless a quality rule of the contract says otherwise.
    """

    column: str | None
    name: str
    expected: str
    violation: "pl.Expr"
    severity: Severity = "fail"
    rule: Rule = EXACTLY_ZERO

    @property
    def id(self) -> str:
        """Its name in the report."""
        return f"{self.column or 'table'}.{self.name}"


@dataclass(frozen=True)
class Finding:
    """A check's outcome: `violations` rows of `rows` break it; `examples` are raw values, to be masked."""

    check: Check
    violations: int
    rows: int
    passed: bool
    examples: tuple[Any, ...] = ()


def matches_type(column: Column, dtype: "pl.DataType") -> bool:
    """Whether a physical type can hold the declared one."""
    import polars as pl

    accepted = {
        "string": dtype in (pl.String, pl.Categorical, pl.Enum),
        "integer": dtype.is_integer()
        or dtype.is_float(),  # pandas writes whole numbers with gaps as floats; wholeness is checked.
        "number": dtype.is_numeric(),
        "boolean": dtype == pl.Boolean,
        "date": dtype in (pl.Date, pl.Datetime),
        "timestamp": dtype in (pl.Date, pl.Datetime),
    }
    return accepted[column.type]


def column_checks(column: Column, dtype: "pl.DataType") -> Iterator[Check]:
    """Checks of a column whose physical type fits."""
    import polars as pl

    value = pl.col(column.name)
    if dtype in (pl.Categorical, pl.Enum):
        value = value.cast(pl.String)
    missing = value.is_null() | value.is_nan() if dtype.is_float() else value.is_null()
    if column.required:
        yield Check(column.name, "required", "no missing value", missing)
    if column.unique:
        yield Check(column.name, "unique", "no value twice", value.is_duplicated() & ~missing)
    if dtype.is_float():
        yield Check(column.name, "finite", "no infinite value", value.is_infinite())
    if column.type == "integer" and dtype.is_float():
        yield Check(column.name, "whole", "whole numbers", ~missing & (value != value.round()))
    if column.type == "date" and dtype == pl.Datetime:
        yield Check(column.name, "whole_day", "days without a time", ~missing & (value != value.dt.truncate("1d")))
    yield from _bounds(column, value, missing)
    yield from _text(column, value)
    for number, rule in enumerate(column.rules):
        yield _quality(column, rule, number, value, missing)


def run(frame: "pl.LazyFrame", checks: list[Check], rows: int, examples: int = 3) -> list[Finding]:
    """Count every check in one pass; a second pass reads a few examples of those that fail.

    Raises:
        ConfigError: a pattern that the regular-expression engine of polars does not know.
    """
    import polars as pl

    if not checks:
        return []
    try:
        counts = frame.select(
            check.violation.fill_null(False).sum().cast(pl.Int64).alias(str(number))
            for number, check in enumerate(checks)
        ).collect()
    except pl.exceptions.ComputeError as error:
        patterns = sorted(
            {str(check.expected) for check in checks if "pattern" in check.name or "matches" in check.expected}
        )
        raise ConfigError(
            f"the contract cannot be computed: {error}",
            f"use patterns without look-around; patterns: {'; '.join(patterns)}",
        ) from None
    findings = []
    for number, check in enumerate(checks):
        violations = int(counts[str(number)][0])
        measured = 100.0 * violations / rows if check.rule.percent and rows else float(violations)
        findings.append(Finding(check, violations, rows, holds(check.rule, measured)))
    return [_with_examples(frame, finding, examples) for finding in findings]


def _with_examples(frame: "pl.LazyFrame", finding: Finding, examples: int) -> Finding:
    import polars as pl

    check = finding.check
    if finding.passed or check.column is None or check.rule.metric == "nullValues" or check.name == "required":
        return finding
    values = (
        frame.filter(check.violation.fill_null(False))
        .select(pl.col(check.column))
        .head(examples)
        .collect()
        .to_series()
        .to_list()
    )
    return Finding(check, finding.violations, finding.rows, finding.passed, tuple(values))


def _bounds(column: Column, value: "pl.Expr", missing: "pl.Expr") -> Iterator[Check]:
    import polars as pl

    def literal(bound: Scalar) -> "pl.Expr":
        if column.type == "date":
            return pl.lit(date.fromisoformat(str(bound)[:10]))
        return pl.lit(datetime.fromisoformat(str(bound))) if column.type == "timestamp" else pl.lit(bound)

    present = ~missing
    if column.minimum is not None:
        yield Check(column.name, "minimum", f"at least {column.minimum}", present & (value < literal(column.minimum)))
    if column.maximum is not None:
        yield Check(column.name, "maximum", f"at most {column.maximum}", present & (value > literal(column.maximum)))
    if column.exclusive_minimum is not None:
        yield Check(
            column.name,
            "exclusive_minimum",
            f"above {column.exclusive_minimum}",
            present & (value <= literal(column.exclusive_minimum)),
        )
    if column.exclusive_maximum is not None:
        yield Check(
            column.name,
            "exclusive_maximum",
            f"below {column.exclusive_maximum}",
            present & (value >= literal(column.exclusive_maximum)),
        )
    if column.multiple_of is not None:
        ratio = value / column.multiple_of
        yield Check(
            column.name,
            "multiple_of",
            f"a multiple of {column.multiple_of}",
            present & ((ratio - ratio.round()).abs() > 1e-9),
        )


def _text(column: Column, value: "pl.Expr") -> Iterator[Check]:
    if column.min_length is not None:
        yield Check(
            column.name,
            "min_length",
            f"at least {column.min_length} characters",
            value.str.len_chars() < column.min_length,
        )
    if column.max_length is not None:
        yield Check(
            column.name,
            "max_length",
            f"at most {column.max_length} characters",
            value.str.len_chars() > column.max_length,
        )
    if column.pattern is not None:
        yield Check(column.name, "pattern", f"matches {column.pattern}", ~value.str.contains(column.pattern))


def _quality(column: Column, rule: Rule, number: int, value: "pl.Expr", missing: "pl.Expr") -> Check:
    import polars as pl

    limits = " and ".join(f"{limit:g}" for limit in rule.limits)
    expected = f"{rule.metric} {rule.operator} {limits}{' percent' if rule.percent else ''}"
    if rule.metric == "nullValues":
        violation = missing
    elif rule.metric == "missingValues":
        violation = missing | value.cast(pl.String).is_in([str(item) for item in rule.missing_values])
    elif rule.metric == "duplicateValues":
        violation = value.is_duplicated() & ~missing
    else:
        violation = pl.lit(False)
        if rule.valid_values is not None:
            violation = violation | (~missing & ~value.is_in(list(rule.valid_values)))
            expected += f" of {', '.join(str(item) for item in rule.valid_values)}"
        if rule.pattern is not None:
            violation = violation | (~missing & ~value.cast(pl.String).str.contains(rule.pattern))
            expected += f" matches {rule.pattern}"
    return Check(column.name, f"{rule.metric}_{number}", expected, violation, rule.severity, rule)


def table_findings(contract: DataContract, rows: int) -> list[Finding]:
    """The table's own rules: its row count, and that there are rows at all."""
    import polars as pl

    nothing = pl.lit(False)
    findings = [Finding(Check(None, "rows", "at least one row", nothing), int(rows == 0), rows, rows > 0)]
    for number, rule in enumerate(contract.rules):
        limits = " and ".join(f"{limit:g}" for limit in rule.limits)
        check = Check(None, f"rowCount_{number}", f"rowCount {rule.operator} {limits}", nothing, rule.severity, rule)
        passed = holds(rule, float(rows))
        findings.append(Finding(check, int(not passed), rows, passed))
    return findings
