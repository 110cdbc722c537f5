"""Checks of a component's arguments: every problem is collected, then told at once."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import pulumi

SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")


class Checks:
    """Collects what is wrong with the arguments of one component."""

    def __init__(self, component: str, name: str) -> None:
        """Speaks of the component by its class and its Pulumi name."""
        self._where = f"{component} {name!r}"
        self._problems: list[tuple[str, str]] = []

    def problem(self, argument: str, value: object, allowed: str, remedy: str) -> None:
        """Notes a problem: which argument, what was found, what is allowed, what to do."""
        self._problems.append((argument, f"{argument} must be {allowed} (got {value!r}); {remedy}"))

    def text(self, args: Mapping[str, Any], argument: str, allowed: str = "a non-empty text") -> str:
        """A required text."""
        value = args.get(argument)
        if isinstance(value, str) and value.strip():
            return value
        self.problem(argument, value, allowed, "set it in the record")
        return ""

    def slug(self, args: Mapping[str, Any], argument: str) -> str:
        """A required name that is safe in paths and addresses."""
        value = args.get(argument)
        if isinstance(value, str) and SLUG.fullmatch(value):
            return value
        self.problem(
            argument,
            value,
            "a lower case letter followed by at most 39 lower case letters, digits or dashes",
            "rename it in the record",
        )
        return ""

    def number(self, args: Mapping[str, Any], argument: str, default: float, lowest: float, highest: float) -> float:
        """A number in a closed range."""
        value = args.get(argument)
        value = default if value is None else value
        if isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= highest:
            return float(value)
        self.problem(
            argument,
            value,
            f"a number from {lowest:g} to {highest:g}",
            f"change it, or drop it for the default {default:g}",
        )
        return default

    def whole(self, args: Mapping[str, Any], argument: str, default: int, lowest: int, highest: int) -> int:
        """A whole number in a closed range. The component host hands numbers over as floats, so 3.0 is one."""
        value = self.number(args, argument, default, lowest, highest)
        if value == int(value):
            return int(value)
        self.problem(
            argument,
            value,
            f"a whole number from {lowest} to {highest}",
            f"round it, or drop it for the default {default}",
        )
        return default

    def entries(self, args: Mapping[str, Any], argument: str, required: Sequence[str]) -> list[Mapping[str, Any]]:
        """A list of mappings with distinct `name` and texts under the required keys."""
        found: list[Mapping[str, Any]] = []
        for index, entry in enumerate(args.get(argument) or []):
            for key in required:
                if not isinstance(entry.get(key), str) or not entry[key]:
                    self.problem(
                        f"{argument}[{index}].{key}", entry.get(key), "a non-empty text", "set it in the record"
                    )
            found.append(entry)
        self.distinct(argument, [str(entry.get("name")) for entry in found])
        return found

    def distinct(self, argument: str, names: Sequence[str]) -> None:
        """Notes names that stand more than once."""
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.problem(argument, name, "named once", "rename all but one")

    def that(self, holds: bool, argument: str, value: object, allowed: str, remedy: str) -> None:
        """Notes a problem unless the condition holds."""
        if not holds:
            self.problem(argument, value, allowed, remedy)

    def done(self) -> None:
        """Ends the checks.

        Raises:
            pulumi.InputPropertiesError: if there was a problem; the message has all of them.
        """
        if self._problems:
            self._raise()

    def _raise(self) -> NoReturn:
        lines = "\n".join(f"  - {reason}" for _, reason in self._problems)
        errors: list[pulumi.InputPropertyErrorDetails] = [
            {"property_path": argument, "reason": reason} for argument, reason in self._problems
        ]
        raise pulumi.InputPropertiesError(f"{self._where} cannot be built:\n{lines}", errors)


def is_known(value: object) -> bool:
    """Whether a value can be checked now; an output is known only while the program runs."""
    return not isinstance(value, pulumi.Output)
