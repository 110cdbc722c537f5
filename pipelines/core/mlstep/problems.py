"""Readers of definition files that collect problems instead of stopping at the first."""

from collections.abc import Mapping
from typing import Any

from mlstep.errors import ConfigError


class Problems:
    """Problems of one file, raised together."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[str] = []

    def add(self, place: str, found: str, remedy: str) -> None:
        """Remember one problem: where, what was found, what to do."""
        self.found.append(f"{place}: {found} ({remedy})")

    def raise_if_any(self, remedy: str) -> None:
        """Stop with everything found.

        Raises:
            ConfigError: at least one problem was added.
        """
        if self.found:
            count = f"{len(self.found)} problem" + ("s" if len(self.found) > 1 else "")
            raise ConfigError(f"{self.file}: {count}\n  - " + "\n  - ".join(self.found), remedy)


def unknown_keys(problems: Problems, place: str, content: Mapping[Any, Any], known: set[str]) -> None:
    """Add a problem for each key that is not known, with the nearest one that is."""
    for key in content:
        if key in known:
            continue
        from difflib import get_close_matches

        near = get_close_matches(str(key), sorted(known), n=1)
        problems.add(
            f"{place}.{key}".lstrip("."),
            "not known",
            f"did you mean {near[0]}?" if near else f"allowed: {', '.join(sorted(known))}",
        )


def typed(
    problems: Problems, place: str, content: Mapping[Any, Any], key: str, kinds: tuple[type, ...], wanted: str
) -> Any:
    """`content[key]` when it has one of the types, else None and a problem; a missing key is None."""
    value = content.get(key)
    if value is None:
        return None
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        problems.add(f"{place}.{key}".lstrip("."), f"is {value!r}", f"write {wanted}")
        return None
    return value
