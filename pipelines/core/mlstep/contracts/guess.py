"""What a column of unknown rows probably is: its type, role, range. Guesses for a person to check."""

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlstep.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

MOST_VALUES = 30
_MARGIN = 0.25
_IDENTIFIER = re.compile(r"(^|_)(id|key|no|nr|number|uuid|guid)$|^id_|Id$|ID$")
_TIME = re.compile(r"(^|_)(at|date|time|timestamp|day|created|applied|updated)($|_)", re.IGNORECASE)
_GROUP = re.compile(
    r"gender|^sex$|_sex$|age(_?(band|group|class|range))?$|^age|nationality|citizen|ethnic|race|religion|marital|disab|language|birth",
    re.IGNORECASE,
)
_POSITIVE = ("1", "true", "yes", "y", "default", "defaulted", "bad", "fraud", "churned", "positive")


@dataclass
class Guess:
    """A column as it may stand in a contract.

    Attributes:
        type: the standard's logical type.
        notes: comments for the person who checks.
    """

    name: str
    type: str
    role: str | None = None
    required: bool = False
    unique: bool = False
    minimum: float | int | None = None
    maximum: float | int | None = None
    values: list[Any] | None = None
    positive: Any = None
    notes: list[str] = field(default_factory=list)


def guess_columns(frame: "pl.DataFrame", target: str, positive: str | None) -> list[Guess]:
    """Guess every column of a table.

    Raises:
        ConfigError: the target is no column, or does not have two values; says what there is.
    """
    if target not in frame.columns:
        raise ConfigError(f"--target {target}: no such column", f"columns: {', '.join(frame.columns)}")
    guesses = [_guess(frame[name]) for name in frame.columns]
    by_name = {guess.name: guess for guess in guesses}
    _make_target(by_name[target], frame[target], positive)
    others = [guess for guess in guesses if guess.name != target]
    _mark_entity(others)
    _mark_time(others)
    for guess in others:
        _finish(guess, frame[guess.name])
    return guesses


def _guess(values: "pl.Series") -> Guess:
    guess = Guess(values.name, _type(values))
    present = values.drop_nulls()
    guess.required = len(values) > 0 and len(present) == len(values)
    guess.unique = guess.required and len(values) > 1 and present.n_unique() == len(present)
    return guess


def _type(values: "pl.Series") -> str:
    import polars as pl

    dtype = values.dtype
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    named = {pl.Boolean: "boolean", pl.Date: "date"}
    return "timestamp" if isinstance(dtype, pl.Datetime) else named.get(type(dtype), "string")


def _make_target(guess: Guess, values: "pl.Series", positive: str | None) -> None:
    present = values.drop_nulls()
    counts = {row[0]: row[1] for row in present.value_counts(sort=True).sort([values.name]).rows()}
    if len(counts) != 2:
        shown = ", ".join(str(value) for value in list(counts)[:5])
        raise ConfigError(
            f"--target {guess.name} has {len(counts)} values ({shown}{' …' if len(counts) > 5 else ''})",
            "name a column with two outcomes",
        )
    guess.role = "target"
    guess.required = False  # An outcome may not be known yet; such rows are not trained on.
    by_text = {str(value).lower(): value for value in counts}
    if positive is not None and positive.lower() not in by_text:
        raise ConfigError(
            f"--positive {positive}: not a value of {guess.name}",
            f"values: {', '.join(str(value) for value in counts)}",
        )
    known = next((by_text[text] for text in _POSITIVE if text in by_text), None)
    rarer = min(counts, key=lambda value: (counts[value], str(value)))
    guess.positive = by_text[positive.lower()] if positive is not None else rarer if known is None else known
    if positive is None and known is None:
        guess.notes.append(f"{guess.positive} is the rarer value and was taken as the positive one: check this")
    if guess.type != "boolean":
        guess.values = sorted(counts, key=str)


def _mark_entity(guesses: list[Guess]) -> None:
    candidates = [guess for guess in guesses if guess.unique and guess.type in ("string", "integer")]
    named = [guess for guess in candidates if _IDENTIFIER.search(guess.name)]
    texts = [guess for guess in candidates if guess.type == "string"]
    for guess in (named or texts)[:1]:
        guess.role = "entity"
        guess.notes.append("every value is there once; taken as what identifies a row")


def _mark_time(guesses: list[Guess]) -> None:
    candidates = [guess for guess in guesses if guess.type in ("date", "timestamp")]
    named = [guess for guess in candidates if _TIME.search(guess.name)]
    for guess in (named or candidates)[:1]:
        guess.role = "time"
        guess.notes.append("taken as the moment of the row; rows are split by it")


def _finish(guess: Guess, values: "pl.Series") -> None:
    if guess.role in ("entity", "time"):
        return
    present = values.drop_nulls()
    if guess.type in ("date", "timestamp"):
        guess.role = "ignored"
        guess.notes.append("a second date is no feature: compute an age or a duration from it upstream")
    elif not len(present):
        guess.role = "ignored"
        guess.notes.append("empty in every row")
    elif guess.type in ("integer", "number"):
        guess.minimum, guess.maximum = _range(present, guess.type)
        if guess.unique and guess.type == "integer":
            guess.notes.append("every value is there once: if it is a number of a thing, give it the role ignored")
    elif guess.type == "string":
        _text(guess, present)
    if _GROUP.search(guess.name) and guess.role is None:
        guess.notes.append("candidate for fairness: with strata.role: group it is measured by, and never a feature")


def _text(guess: Guess, present: "pl.Series") -> None:
    kinds = present.n_unique()
    if kinds <= MOST_VALUES and kinds * 2 <= len(present):
        guess.values = sorted(present.unique().to_list())
        return
    guess.role = "ignored"
    guess.notes.append(f"{kinds} different texts are no category: give it a role, or group its values upstream")


def _range(present: "pl.Series", kind: str) -> tuple[float | int, float | int]:
    """Smallest and largest value with a margin, rounded outwards; what is never negative stays so."""
    finite = present.filter(present.is_finite()) if kind == "number" else present
    low, high = float(finite.min() or 0), float(finite.max() or 0)  # type: ignore[arg-type]
    margin = _MARGIN * (high - low) or _MARGIN * abs(high) or 1.0
    lower = max(0.0, low - margin) if low >= 0 else low - margin
    step = 10.0 ** (math.floor(math.log10(margin)))
    bounds = math.floor(lower / step) * step, math.ceil((high + margin) / step) * step
    return (int(bounds[0]), int(bounds[1])) if kind == "integer" else (round(bounds[0], 9), round(bounds[1], 9))
