"""`${…}` references: found by the checker, resolved once at the start of a run."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mlstep.errors import ConfigError

NAMES: dict[str, tuple[str, ...]] = {
    "run": ("id", "pipeline", "author", "root", "folder"),
    "model": ("name",),
    "champion": ("model", "version", "digest"),
    "data": ("source", "contract", "freshness_hours", "name"),
}
_REFERENCE = re.compile(r"\$\{([a-z][A-Za-z0-9_.-]*)(\?)?\}")


@dataclass(frozen=True)
class Reference:
    """One reference; `optional` ones leave their key away where there is no value."""

    text: str
    name: str
    optional: bool


class Absent(Exception):
    """An optional reference has no value."""


def find_references(value: Any) -> Iterator[Reference]:
    """Every reference in a value, however deep."""
    if isinstance(value, str):
        for match in _REFERENCE.finditer(value):
            yield Reference(match.group(0), match.group(1), match.group(2) is not None)
    elif isinstance(value, dict):
        for entry in value.values():
            yield from find_references(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from find_references(entry)


def resolve(value: Any, lookup: Callable[[str], Any]) -> Any:
    """A value with every reference replaced; a text that is one reference takes the referenced type.

    Args:
        lookup: name -> value; None where there is no value.

    Raises:
        ConfigError: a reference that is not optional has no value.
        Absent: the value itself is an optional reference without a value.
    """
    if isinstance(value, dict):
        return dict(_resolved_items(value, lookup))
    if isinstance(value, list):
        return [resolve(entry, lookup) for entry in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _lookup(Reference(value, whole.group(1), whole.group(2) is not None), lookup)
    return _REFERENCE.sub(lambda match: str(_lookup(Reference(match.group(0), match.group(1), False), lookup)), value)


def _resolved_items(value: dict[Any, Any], lookup: Callable[[str], Any]) -> Iterator[tuple[Any, Any]]:
    for key, entry in value.items():
        try:
            yield key, resolve(entry, lookup)
        except Absent:
            continue


def _lookup(reference: Reference, lookup: Callable[[str], Any]) -> Any:
    found = lookup(reference.name)
    if found is not None:
        return found
    if reference.optional:
        raise Absent(reference.name)
    raise ConfigError(
        f"{reference.text} has no value on this platform", "give it as a parameter, or write a ? where it may be absent"
    )
