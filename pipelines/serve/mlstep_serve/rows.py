"""Check one row of a request, whatever it is: what may be scored, what is kept, and why not."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlstep.model import Description, Feature

_LONGEST_KEPT = 200


@dataclass(frozen=True)
class Fallback:
    """What is answered when the model cannot: never an error."""

    score: float | None
    decision: str


NO_CHAMPION = Fallback(None, "refer")
"""Without a champion nothing may be decided by machine: the case goes to a person."""


@dataclass(frozen=True)
class Row:
    """One row of a request after checking.

    Attributes:
        values: known features, each of its kind or None.
        invalid: known features whose value has another kind, as text, cut at 200 letters.
        unknown_keys: how many keys were no features; their values are dropped, since they may be personal data.
        reason: why the model may not be asked; None if it may.
    """

    values: dict[str, Any]
    invalid: dict[str, str] = field(default_factory=dict)
    unknown_keys: int = 0
    reason: str | None = None


def fallback_of(description: Description) -> Fallback:
    """The fallback a model defines."""
    return Fallback(description.fallback["score"], str(description.fallback["decision"]))


def check(description: Description, content: Any) -> Row:
    """Check one row against a model's features."""
    if not isinstance(content, Mapping):
        return Row({}, reason=f"the row is a {_kind(content)}, not a map of features")
    values: dict[str, Any] = {}
    invalid: dict[str, str] = {}
    problems: list[str] = []
    for feature in description.features:
        value = _clean(feature, content.get(feature.name))
        wrong = _of_another_kind(feature, value)
        if wrong is None:
            values[feature.name] = value
            problem = feature.problem(value)
        else:
            values[feature.name] = None
            invalid[feature.name] = _text(value)
            problem = f"{feature.name}: {wrong}"
        if problem is not None:
            problems.append(problem)
    return Row(values, invalid, len(content.keys() - values.keys()), "; ".join(problems) or None)


def implausible(description: Description, score: float) -> str | None:
    """Why a score cannot be right, or None."""
    low, high = description.score["minimum"], description.score["maximum"]
    if not math.isfinite(score):
        return "the model's score is not a number"
    if not low <= score <= high:
        return f"the model's score {score:g} is outside {low:g} to {high:g}"
    return None


def _clean(feature: Feature, value: Any) -> Any:
    if (
        feature.kind == "category"
        and isinstance(value, int)
        and not isinstance(value, bool)
        and _text(value) in feature.categories
    ):
        return _text(value)  # Codes such as 1, 2, 3 come as numbers from many clients.
    return value


def _of_another_kind(feature: Feature, value: Any) -> str | None:
    if value is None:
        return None
    if feature.kind == "boolean":
        return None if isinstance(value, bool) else f"{_kind(value)}, expected true or false"
    if feature.kind == "category":
        return _not_a_category(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{_kind(value)}, expected a number"
    if isinstance(value, float) and not math.isfinite(value):
        return "not a finite number"
    # A larger integer has no floating point number beside it.
    return "a number too large" if abs(value) > 1e300 else None


def _not_a_category(value: Any) -> str | None:
    if not isinstance(value, str):
        return f"{_kind(value)}, expected text"
    if len(value) > _LONGEST_KEPT:
        return "text of more than 200 letters"
    return "text with half a character (a lone surrogate)" if _text(value) != value else None


def _kind(value: Any) -> str:
    names = {
        dict: "map",
        list: "list",
        str: "text",
        bool: "truth value",
        int: "number",
        float: "number",
        type(None): "null",
    }
    return names.get(type(value), type(value).__name__)


def _text(value: Any) -> str:
    # Half a character (a lone surrogate) is valid JSON, but cannot be written to a file.
    return str(value)[:_LONGEST_KEPT].encode("utf-8", "replace").decode()
