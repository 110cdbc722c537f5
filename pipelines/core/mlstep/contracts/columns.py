"""One column of a contract."""

import re
from datetime import date, datetime
from typing import Any, cast

from mlstep.contracts.fields import custom_properties
from mlstep.contracts.model import ROLES, TYPES, Column, LogicalType, Role, Scalar
from mlstep.contracts.rules import parse_rules
from mlstep.problems import Problems, typed, unknown_keys

_COLUMN = {
    "name", "physicalType", "description", "businessName", "authoritativeDefinitions", "tags",
    "customProperties", "primaryKey", "primaryKeyPosition", "logicalType", "logicalTypeOptions", "physicalName",
    "required", "unique", "partitioned", "partitionKeyPosition", "classification", "encryptedName",
    "transformSourceObjects", "transformLogic", "transformDescription", "examples", "criticalDataElement",
    "relationships", "quality",
}  # fmt: skip
_OPTIONS: dict[str, set[str]] = {
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": {"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "format"},
    "number": {"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "format"},
    "date": {"format", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"},
    "timestamp": {
        "format",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "timezone",
        "defaultTimezone",
    },
    "boolean": set(),
}
_CUSTOM = {"strata.role", "strata.positive", "strata.personal_data_allowed"}


def parse_column(problems: Problems, place: str, entry: Any) -> Column | None:
    """Read one entry of `properties`; None when it has no usable name or type, and the problems say why."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        problems.add(f"{place}.name", "missing", "name the column")
        return None
    place = f"column {entry['name']}"
    unknown_keys(problems, place, entry, _COLUMN)
    kind = entry.get("logicalType")
    custom = custom_properties(problems, place, entry.get("customProperties"), _CUSTOM)
    role = _role(problems, place, custom.get("strata.role"))
    if kind not in TYPES:
        remedy = (
            "tables hold scalars; flatten it upstream"
            if kind in ("object", "array", "time")
            else f"allowed: {', '.join(TYPES)}"
        )
        problems.add(f"{place}.logicalType", f"is {kind!r}", remedy)
        return None
    options = typed(problems, place, entry, "logicalTypeOptions", (dict,), "a map") or {}
    unknown_keys(problems, f"{place}.logicalTypeOptions", options, _OPTIONS[kind])
    rules = parse_rules(problems, f"{place}.quality", entry.get("quality"), kind)
    bounds = {
        key: _bound(problems, f"{place}.{key}", kind, options.get(key))
        for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    }
    _check_order(problems, place, bounds["minimum"], bounds["maximum"])
    values = next(
        (
            rule.valid_values
            for rule in rules
            if rule.valid_values and rule.operator == "mustBe" and not any(rule.limits)
        ),
        None,
    )
    return Column(
        name=entry["name"],
        type=cast(LogicalType, kind),
        role=role,
        required=_flag(problems, place, entry, "required") or _flag(problems, place, entry, "primaryKey"),
        unique=_flag(problems, place, entry, "unique") or _flag(problems, place, entry, "primaryKey"),
        minimum=bounds["minimum"],
        maximum=bounds["maximum"],
        exclusive_minimum=bounds["exclusiveMinimum"],
        exclusive_maximum=bounds["exclusiveMaximum"],
        multiple_of=typed(problems, place, options, "multipleOf", (int, float), "a number"),
        min_length=typed(problems, place, options, "minLength", (int,), "a whole number"),
        max_length=typed(problems, place, options, "maxLength", (int,), "a whole number"),
        pattern=_pattern(problems, place, options),
        values=values,
        positive=_positive(problems, place, role, values, custom.get("strata.positive")),
        classification=_text(entry.get("classification")),
        personal_data_allowed=_legal_basis(problems, place, custom),
        description=_text(entry.get("description")) or "",
        format=_text(options.get("format")),
        rules=rules,
    )


def _role(problems: Problems, place: str, declared: Any) -> Role:
    if declared is None:
        return "feature"
    if declared not in ROLES:
        problems.add(
            f"{place} strata.role", f"is {declared!r}", f"allowed: {', '.join(ROLES)}; leave it away for a feature"
        )
        return "ignored"
    return cast(Role, declared)


def _flag(problems: Problems, place: str, entry: dict[str, Any], key: str) -> bool:
    return bool(typed(problems, place, entry, key, (bool,), "true or false"))


def _bound(problems: Problems, place: str, kind: str, value: Any) -> Scalar | None:
    if value is None:
        return None
    if kind in ("date", "timestamp"):
        return _moment(problems, place, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.add(place, f"is {value!r}", "write a number")
        return None
    return value


def _moment(problems: Problems, place: str, value: Any) -> str | None:
    if isinstance(value, datetime | date):  # YAML reads an unquoted date as a date.
        return value.isoformat()
    try:
        return datetime.fromisoformat(str(value)).isoformat()
    except ValueError:
        problems.add(place, f"is {value!r}", "write ISO 8601, such as 2026-01-31")
        return None


def _check_order(problems: Problems, place: str, low: Any, high: Any) -> None:
    if low is not None and high is not None and low > high:
        problems.add(f"{place}.minimum", f"is {low}, above the maximum {high}", "swap them")


def _pattern(problems: Problems, place: str, options: dict[str, Any]) -> str | None:
    pattern = typed(problems, place, options, "pattern", (str,), "a regular expression")
    if pattern is None:
        return None
    try:
        re.compile(pattern)
    except re.error as error:
        problems.add(f"{place}.pattern", f"is not a regular expression: {error}", "correct it")
        return None
    return str(pattern)


def _positive(
    problems: Problems, place: str, role: Role, values: tuple[Scalar, ...] | None, declared: Any
) -> Scalar | None:
    if declared is None:
        return None
    if role != "target":
        problems.add(
            f"{place} strata.positive",
            f"stands on a column with the role {role}",
            "only the target has a positive value",
        )
    if not isinstance(declared, str | int | float | bool):
        problems.add(f"{place} strata.positive", f"is {declared!r}", "write one value")
        return None
    if values is not None and declared not in values:
        problems.add(
            f"{place} strata.positive",
            f"{declared!r} is not one of the valid values {list(values)}",
            "name one of them",
        )
    return declared


def _legal_basis(problems: Problems, place: str, custom: dict[str, Any]) -> str | None:
    basis = custom.get("strata.personal_data_allowed")
    if basis is None:
        return None
    if not isinstance(basis, str) or len(basis.strip()) < 3:
        problems.add(
            f"{place} strata.personal_data_allowed",
            f"is {basis!r}",
            "name the legal basis, such as `contract, GDPR Art. 6(1)(b)`",
        )
        return None
    return basis


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
