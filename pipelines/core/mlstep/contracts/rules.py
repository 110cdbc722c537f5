"""Quality rules of the standard's library: five metrics, eight operators."""

import re
from typing import Any

from mlstep.contracts.model import Rule, Scalar, Severity
from mlstep.problems import Problems, unknown_keys

METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
ONE_LIMIT = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
)
TWO_LIMITS = ("mustBeBetween", "mustNotBeBetween")
_RULE = {
    "authoritativeDefinitions", "businessImpact", "customProperties", "description", "dimension", "method",
    "name", "schedule", "scheduler", "severity", "tags", "type", "unit", "metric", "rule", "arguments", "query",
    "engine", "implementation", *ONE_LIMIT, *TWO_LIMITS,
}  # fmt: skip


def parse_rules(problems: Problems, place: str, entries: Any, kind: str | None) -> tuple[Rule, ...]:
    """Read a `quality` list; `kind` is the column's type, None for the table's own rules."""
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        problems.add(place, "is not a list of rules", "write - {metric: nullValues, mustBe: 0}")
        return ()
    rules = [_rule(problems, f"{place}[{number}]", entry, kind) for number, entry in enumerate(entries)]
    return tuple(rule for rule in rules if rule is not None)


def holds(rule: Rule, measured: float) -> bool:
    """Whether a measured number satisfies the rule."""
    low, high = rule.limits[0], rule.limits[-1]
    answers = {
        "mustBe": measured == low,
        "mustNotBe": measured != low,
        "mustBeGreaterThan": measured > low,
        "mustBeGreaterOrEqualTo": measured >= low,
        "mustBeLessThan": measured < low,
        "mustBeLessOrEqualTo": measured <= low,
        "mustBeBetween": low <= measured <= high,
        "mustNotBeBetween": not low <= measured <= high,
    }
    return answers[rule.operator]


def _rule(problems: Problems, place: str, entry: dict[str, Any], kind: str | None) -> Rule | None:
    unknown_keys(problems, place, entry, _RULE)
    form = entry.get("type", "library")
    if form == "text":
        return None  # Words for people; there is nothing to compute.
    if form != "library":
        problems.add(
            f"{place}.type", f"is {form!r}", "only library rules (and text) can be checked here; write it as a metric"
        )
        return None
    metric = entry.get("metric")
    if metric not in METRICS:
        problems.add(f"{place}.metric", f"is {metric!r}", f"allowed: {', '.join(METRICS)}")
        return None
    if (metric == "rowCount") != (kind is None):
        problems.add(f"{place}.metric", f"is {metric}", "rowCount belongs to the table, the other metrics to a column")
        return None
    operator, limits = _operator(problems, place, entry)
    if operator is None:
        return None
    arguments = entry.get("arguments") or {}
    values = _values(problems, f"{place}.arguments.validValues", arguments.get("validValues"))
    pattern = _pattern(problems, f"{place}.arguments.pattern", arguments.get("pattern"))
    if metric == "invalidValues" and values is None and pattern is None:
        problems.add(f"{place}.arguments", "names neither validValues nor pattern", "say what is valid")
        return None
    return Rule(
        metric=str(metric),
        operator=operator,
        limits=limits,
        percent=entry.get("unit") == "percent",
        valid_values=values,
        pattern=pattern,
        missing_values=_values(problems, f"{place}.arguments.missingValues", arguments.get("missingValues"), nulls=True)
        or (),
        severity=_severity(entry.get("severity")),
        name=str(entry.get("name") or ""),
    )


def _operator(problems: Problems, place: str, entry: dict[str, Any]) -> tuple[str | None, tuple[float, ...]]:
    given = [key for key in (*ONE_LIMIT, *TWO_LIMITS) if key in entry]
    if len(given) != 1:
        problems.add(
            place, f"has {len(given)} operators {given}", f"write exactly one of {', '.join((*ONE_LIMIT, *TWO_LIMITS))}"
        )
        return None, ()
    value = entry[given[0]]
    limits = value if given[0] in TWO_LIMITS else [value]
    wanted = 2 if given[0] in TWO_LIMITS else 1
    numbers = isinstance(limits, list) and len(limits) == wanted and all(_is_number(limit) for limit in limits)
    if not numbers:
        problems.add(f"{place}.{given[0]}", f"is {value!r}", "write two numbers" if wanted == 2 else "write a number")
        return None, ()
    return given[0], tuple(float(limit) for limit in limits)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _values(problems: Problems, place: str, values: Any, nulls: bool = False) -> tuple[Scalar, ...] | None:
    if values is None:
        return None
    if not isinstance(values, list) or not values:
        problems.add(place, f"is {values!r}", "write a list of values")
        return None
    kept = [value for value in values if not (nulls and value is None)]
    if not all(isinstance(value, str | int | float | bool) for value in kept):
        problems.add(place, "holds something that is no text, number or boolean", "quote dates")
        return None
    return tuple(kept)


def _pattern(problems: Problems, place: str, pattern: Any) -> str | None:
    if pattern is None:
        return None
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        problems.add(place, f"is not a regular expression: {error}", "correct it")
        return None
    return str(pattern)


def _severity(severity: Any) -> Severity:
    return "warn" if str(severity).lower() in ("warning", "warn", "info") else "fail"
