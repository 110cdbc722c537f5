"""Reads YAML so that nothing in it is lost, and collects what is wrong with it."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

# The C loader is some ten times faster; every source distribution has the other one.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the base is chosen at run time
    """The safe loader, refusing duplicate keys: with the usual one the last of them silently wins."""


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key!r}", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


class InvalidSourceError(Exception):
    """A file of the pack is not as it must be; the text lists every problem."""

    def __init__(self, problems: list[str], what: str = "the policy pack's data is not valid") -> None:
        super().__init__(f"{what}:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = tuple(problems)


def load(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises:
        InvalidSourceError: if the file cannot be read, is not YAML or holds a key twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  (a safe loader with one more check)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSourceError([f"{path.name}: cannot be read ({error}); restore the file"]) from None
    except yaml.YAMLError as error:
        raise InvalidSourceError(
            [f"{path.name}: is not valid YAML ({' '.join(str(error).split())}); correct the file"]
        ) from None


class Reader:
    """Takes values out of a mapping and notes every problem instead of stopping at the first."""

    def __init__(self, where: str, value: Any, problems: list[str]) -> None:
        self.where = where
        self.problems = problems
        self._taken: set[str] = set()
        self._values: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        if not isinstance(value, Mapping):
            self.note("", f"is {type(value).__name__}", "write a mapping")

    def note(self, key: str, found: str, remedy: str) -> None:
        """Add a problem: where, what was found, what to do."""
        self.problems.append(f"{self.where}{': ' if key else ''}{key}: {found}; {remedy}")

    def text(self, key: str, *, allowed: tuple[str, ...] = ()) -> str:
        """Take a text that is not empty; with `allowed`, one of those."""
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            self.note(
                key, "is absent or not a text", "write a text" if not allowed else f"use one of {', '.join(allowed)}"
            )
            return ""
        if allowed and value not in allowed:
            self.note(key, f"is {value!r}", f"use one of {', '.join(allowed)}")
        return " ".join(value.split())

    def number(self, key: str, minimum: int, maximum: int) -> int:
        """Take a whole number within a range."""
        value = self._take(key)
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            self.note(key, f"is {value!r}", f"write a whole number from {minimum} to {maximum}")
            return minimum
        return value

    def flag(self, key: str) -> bool:
        """Take true or false."""
        value = self._take(key)
        if not isinstance(value, bool):
            self.note(key, f"is {value!r}", "write true or false")
        return value is True

    def texts(self, key: str, *, allowed: tuple[str, ...] = (), empty: bool = False) -> tuple[str, ...]:
        """Take a list of texts."""
        value = self._take(key)
        if not isinstance(value, list) or (not value and not empty) or not all(isinstance(item, str) for item in value):
            self.note(key, f"is {value!r}", "write a list of texts")
            return ()
        for item in value:
            if allowed and item not in allowed:
                self.note(key, f"holds {item!r}", f"use {', '.join(allowed)}")
        return tuple(value)

    def day(self, key: str) -> date:
        """Take a calendar day."""
        value = self._take(key)
        if isinstance(value, datetime) or not isinstance(value, date):
            self.note(key, f"is {value!r}", "write a day as YYYY-MM-DD")
            return date.min
        return value

    def entries(self, key: str) -> list[Any]:
        """Take a list of mappings; it may be empty."""
        value = self._take(key)
        if not isinstance(value, list):
            self.note(key, f"is {value!r}", "write a list; [] when there are none")
            return []
        return value

    def inner(self, key: str, *, optional: bool = False) -> "Reader":
        """Take a mapping and return a reader for it."""
        value = self._take(key)
        return Reader(f"{self.where}: {key}", {} if optional and value is None else value, self.problems)

    def names(self) -> tuple[str, ...]:
        """Return the names that are there."""
        return tuple(str(key) for key in self._values)

    def end(self) -> None:
        """Note every key that nothing asked for."""
        for key in self._values:
            if key not in self._taken:
                self.note(str(key), "is not a known key", f"remove it (known: {', '.join(sorted(self._taken))})")

    def _take(self, key: str) -> Any:
        self._taken.add(key)
        return self._values.get(key)
