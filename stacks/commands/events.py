"""What the engine reports while it works, gathered into one outcome.

Works on the engine's JSON events (`pulumi … --event-log`), as the Automation API hands them over.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

QUIET_OPERATIONS = ("same", "read", "refresh", "discard", "discard-replaced", "remove-pending-replace")
"""Operations that change nothing a person would want to be told of."""

STORES = ("local:Directory", "local:KeyPair", "local:Secret", "local:MlflowAccess")
"""Types that hold data, keys or accounts: the platform loses sight of them when one is deleted or replaced."""

LENGTHY = ("local:Environment", "local:Supervisor", "local:Process", "local:MlflowAccess")
"""Types whose changes take so long that people want to read of each."""

HIDDEN = ("pulumi:pulumi:Stack", "pulumi:providers:")
"""Types that are the engine's own; they are neither shown nor counted."""

UNDECIDED = "cannot be decided"
"""What a policy finding says when a value is known only after the update."""


@dataclass(frozen=True)
class Step:
    """One change of one resource."""

    operation: str
    """create, update, replace, delete …"""
    type: str
    """Resource type, short: `local:Process`."""
    name: str
    """Resource name."""
    keys: tuple[str, ...] = ()
    """Inputs because of which it changes."""
    holds: str = ""
    """Path of what a store holds, where it says so."""

    @property
    def is_store(self) -> bool:
        """Whether it holds something that cannot be made again."""
        return self.type in STORES

    @property
    def is_lengthy(self) -> bool:
        """Whether the change takes long enough to be told of."""
        return self.type in LENGTHY

    @property
    def loses(self) -> bool:
        """Whether the resource that is there will be removed."""
        return self.operation in ("delete", "replace", "delete-replaced")

    def line(self) -> str:
        """Return the change as one line of a plan."""
        sign = {"create": "+", "update": "~", "delete": "-", "replace": "±"}.get(self.operation, "?")
        because = f"   because of {', '.join(self.keys)}" if self.keys and self.operation != "create" else ""
        return f"{sign} {self.type:<34}{self.name}{because}"

    def as_json(self) -> dict[str, Any]:
        """Return the change as plain data."""
        return {"operation": self.operation, "type": self.type, "name": self.name, "keys": list(self.keys)}


@dataclass(frozen=True)
class Finding:
    """A rule of the policy pack that a resource breaks."""

    control: str
    level: str
    resource: str
    message: str

    @property
    def mandatory(self) -> bool:
        """Whether the finding stops the deployment."""
        return self.level == "mandatory"

    @property
    def is_undecided(self) -> bool:
        """Whether the rule needs a value that only the update makes known."""
        return UNDECIDED in self.message

    def lines(self) -> list[str]:
        """Return the finding as lines: control and resource, then what it says."""
        text = [line.strip() for line in self.message.splitlines() if line.strip()]
        return [f"{self.control} ({self.level})  {self.resource}", *(f"  {line}" for line in text)]

    def as_json(self) -> dict[str, str]:
        """Return the finding as plain data."""
        return {"control": self.control, "level": self.level, "resource": self.resource, "message": self.message}


@dataclass
class Outcome:
    """Everything one engine operation reported."""

    steps: list[Step] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    _hidden: Counter[str] = field(default_factory=Counter)

    @property
    def added(self) -> int:
        """Resources that are new."""
        return self._count("create")

    @property
    def changed(self) -> int:
        """Resources that are changed in place."""
        return self._count("update")

    @property
    def replaced(self) -> int:
        """Resources that are removed and made anew."""
        return self._count("replace")

    @property
    def deleted(self) -> int:
        """Resources that are removed."""
        return self._count("delete")

    @property
    def changes(self) -> int:
        """All of them together."""
        return self.added + self.changed + self.replaced + self.deleted

    @property
    def resources(self) -> int:
        """Resources there are afterwards."""
        return self.added + self.changed + self.replaced + self._count("same")

    def sentence(self) -> str:
        """Return the sentence every preview ends with."""
        return f"{self.added} to add, {self.changed} to change, {self.replaced} to replace, {self.deleted} to delete"

    def take(self, event: Any) -> Step | None:
        """Add one event of the Automation API; return the change that begins with it, if one does."""
        if event.summary_event is not None:
            self.counts = {_plain(key): int(value) for key, value in event.summary_event.resource_changes.items()}
        if event.policy_event is not None:
            self.findings.append(_finding(event.policy_event))
        if event.diagnostic_event is not None:
            self._diagnose(event.diagnostic_event)
        if event.resource_pre_event is not None:
            return self._begin(event.resource_pre_event.metadata)
        return None

    def _count(self, operation: str) -> int:
        return max(0, self.counts.get(operation, 0) - self._hidden[operation])

    def _begin(self, metadata: Any) -> Step | None:
        operation, kind = _plain(metadata.op), short_type(metadata.urn)
        if kind.startswith(HIDDEN):
            # The engine counts the stack itself, and not its default providers.
            self._hidden[operation] += kind == HIDDEN[0]
            return None
        if operation in QUIET_OPERATIONS or operation.startswith(("create-", "delete-")):
            return None
        keys = tuple(key for key in metadata.diffs or () if not key.startswith("__"))
        step = Step(operation, kind, _name(metadata.urn), keys, _holds(metadata))
        self.steps.append(step)
        return step

    def _diagnose(self, diagnostic: Any) -> None:
        # Ephemeral lines are the engine's own progress, and policy findings come as events of their own.
        text = _without_colour(diagnostic.message).strip().removeprefix("Exception calling application: ")
        if diagnostic.ephemeral or not text:
            return
        if diagnostic.severity == "error" and text not in self.errors:
            self.errors.append(text)
        elif diagnostic.severity == "warning" and text not in self.warnings:
            self.warnings.append(text)


def short_type(urn: str) -> str:
    """Return the type of a resource as people read it: `local:Process` for a dynamic one, else the type itself."""
    kind = urn.split("::")[2].rsplit("$", maxsplit=1)[-1]
    if kind.startswith("pulumi-python:dynamic/"):
        return kind.removeprefix("pulumi-python:dynamic/")
    return kind


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]


def _plain(value: Any) -> str:
    return str(getattr(value, "value", value))


def _finding(event: Any) -> Finding:
    resource = _name(event.resource_urn) if event.resource_urn else "stack"
    return Finding(event.policy_name, event.enforcement_level, resource, _without_colour(event.message))


def _holds(metadata: Any) -> str:
    # What is replaced holds what it held before; only what is new says where it will be.
    state = metadata.old or metadata.new
    inputs = (state.inputs if state is not None else None) or {}
    return str(inputs.get("path") or inputs.get("dir") or "")


def _without_colour(text: str) -> str:
    import re

    return re.sub(r"<\{%.*?%\}>|\x1b\[[0-9;]*m", "", text)
