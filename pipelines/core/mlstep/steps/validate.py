"""Validate: every row against the data contract, every check counted, the report masked."""

from typing import TYPE_CHECKING, Any, ClassVar

from mlstep.contracts import Column, DataContract, read_contract
from mlstep.contracts.checks import Check, Finding, column_checks, matches_type, run, table_findings
from mlstep.data.frames import mask, scan_rows
from mlstep.step import Context, Decision, NoConfig, StepResult

if TYPE_CHECKING:
    import polars as pl

_PRIVATE = ("confidential", "restricted", "secret", "personal", "pii")


class Validate:
    """Compare data with its contract."""

    name: ClassVar[str] = "validate"
    config_type: ClassVar[type] = NoConfig
    inputs: ClassVar[tuple[str, ...]] = ("data", "contract")
    optional_inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ("report",)

    def run(self, ctx: Context[NoConfig]) -> StepResult:
        """Write the report; fail when a check of severity fail does not hold."""
        import polars as pl

        contract = read_contract(ctx.inputs["contract"])
        frame = scan_rows(ctx.inputs["data"])
        rows = int(frame.select(pl.len()).collect().item())
        entries = check_rows(frame, contract, rows)
        failed = [entry for entry in entries if not entry["passed"] and entry["severity"] == "fail"]
        warned = [entry for entry in entries if not entry["passed"] and entry["severity"] == "warn"]
        decision: Decision = "fail" if failed else "warn" if warned else "pass"
        ctx.write_report(
            {
                "contract": {"name": contract.name, "version": contract.version, "sha256": contract.sha256},
                "rows": rows,
                "decision": decision,
                "checks": entries,
            }
        )
        metrics = {
            "rows": float(rows),
            "checks": float(len(entries)),
            "failed": float(len(failed)),
            "warned": float(len(warned)),
        }
        return StepResult(decision, metrics, [_sentence(entry) for entry in failed + warned])


def check_rows(frame: "pl.LazyFrame", contract: DataContract, rows: int) -> list[dict[str, Any]]:
    """Every check as {id, column, check, expected, severity, passed, violations, share, examples}, in order."""
    schema = frame.collect_schema()
    findings = table_findings(contract, rows)
    checks: list[Check] = []
    for column in contract.columns:
        dtype = schema.get(column.name)
        if dtype is None:
            findings.append(_absent(column, rows))
            continue
        findings.append(_type(frame, column, dtype, rows))
        if matches_type(column, dtype):
            checks += column_checks(column, dtype)
    target = contract.target
    if target.name in schema and matches_type(target, schema[target.name]):
        findings.append(_classes(frame, target, rows))
    findings += run(frame, checks, rows)
    findings += [_unexpected(name, rows) for name in schema if name not in {column.name for column in contract.columns}]
    order = {column.name: number for number, column in enumerate(contract.columns)}
    findings.sort(
        key=lambda finding: (
            order.get(finding.check.column or "", -1 if finding.check.column is None else len(order)),
            finding.check.name,
        )
    )
    private = {column.name for column in contract.columns if (column.classification or "").lower() in _PRIVATE}
    return [_entry(finding, finding.check.column in private) for finding in findings]


def _absent(column: Column, rows: int) -> Finding:
    import polars as pl

    dispensable = column.role == "ignored" and not column.required
    return Finding(
        Check(column.name, "present", "the column is there", pl.lit(True), "warn" if dispensable else "fail"),
        rows,
        rows,
        False,
    )


def _unexpected(name: str, rows: int) -> Finding:
    import polars as pl

    return Finding(Check(name, "expected", "only columns of the contract", pl.lit(True), "warn"), rows, rows, False)


def _type(frame: "pl.LazyFrame", column: Column, dtype: "pl.DataType", rows: int) -> Finding:
    import polars as pl

    passed = matches_type(column, dtype)
    check = Check(column.name, "type", f"{column.type} (found {dtype})", pl.lit(True))
    if passed:
        return Finding(check, 0, rows, True)
    if dtype != pl.String or column.type not in ("number", "integer"):
        return Finding(check, rows, rows, False)
    value = pl.col(column.name)
    wrong = (
        frame.filter(value.is_not_null() & value.str.strip_chars().cast(pl.Float64, strict=False).is_null())
        .select(value)
        .collect()
        .to_series()
    )
    return Finding(check, len(wrong), rows, False, tuple(wrong.head(3).to_list()))


def _classes(frame: "pl.LazyFrame", target: Column, rows: int) -> Finding:
    """Both outcomes are there; a target with a third value is caught by its valid values or here."""
    import polars as pl

    positive = True if target.positive is None else target.positive
    value = pl.col(target.name)
    counts = frame.select(
        (value == positive).sum().alias("positive"),
        value.is_not_null().sum().alias("known"),
        value.drop_nulls().n_unique().alias("kinds"),
    ).collect()
    positives, known, kinds = (int(counts[name][0]) for name in ("positive", "known", "kinds"))
    check = Check(
        target.name,
        "classes",
        f"two values, {positive!r} among them (found {kinds} values, {positives} of {known} positive)",
        pl.lit(True),
    )
    return Finding(check, 0 if kinds == 2 else rows, rows, kinds == 2 and 0 < positives < known)


def _entry(finding: Finding, private: bool) -> dict[str, Any]:
    check = finding.check
    return {
        "id": check.id,
        "column": check.column,
        "check": check.name,
        "expected": check.expected,
        "severity": check.severity,
        "passed": finding.passed,
        "violations": finding.violations,
        "share": round(finding.violations / finding.rows, 6) if finding.rows else 0.0,
        "examples": [
            mask(value) if private or not isinstance(value, int | float) else value for value in finding.examples
        ],
    }


def _sentence(entry: dict[str, Any]) -> str:
    where = entry["column"] or "table"
    shown = f", such as {', '.join(str(value) for value in entry['examples'])}" if entry["examples"] else ""
    count = f" ({entry['violations']} rows, {entry['share']:.2%}{shown})" if entry["violations"] else ""
    return f"{where}: {entry['check']} does not hold, expected {entry['expected']}{count}"
