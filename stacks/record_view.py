"""Look into the plain data of a record without trusting its shape.

Rules between keys run even when other keys are wrong, so that one message names every problem. A value of the wrong
type is reported by the shape check and is simply absent here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stacks.problems import KeyPath, Problem, dotted
from stacks.yaml_source import Source


class View:
    """Typed access to the data of a source by key path; None for whatever is absent or of another type."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def get(self, *path: str | int) -> Any:
        """Return the value at a path, or None."""
        value: Any = self.source.data
        for part in path:
            if isinstance(value, dict) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def text(self, *path: str | int) -> str | None:
        """Return a non-empty text, or None."""
        value = self.get(*path)
        return value if isinstance(value, str) and value else None

    def number(self, *path: str | int) -> int | None:
        """Return a whole number, or None."""
        value = self.get(*path)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def entries(self, *path: str | int) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
        """Yield path and content of every mapping in a list."""
        value = self.get(*path)
        for index, entry in enumerate(value if isinstance(value, list) else []):
            if isinstance(entry, dict):
                yield (*path, index), entry

    def environments(self) -> list[str]:
        """Return the names of the environments that are mappings (or empty), in the order dev, test, prod."""
        value = self.get("environments")
        names = value if isinstance(value, dict) else {}
        return [name for name in ("dev", "test", "prod") if isinstance(names.get(name, 0), dict | None)]

    def problem(self, path: KeyPath, found: str, remedy: str) -> Problem:
        """Return a problem at a path."""
        line, column = self.source.position(path)
        return Problem(line, column, dotted(path), found, remedy)
