"""What the engine reports while it works, gathered into one outcome.

Works on the engine's JSON events (`pulumi … --event-log`), as the Automation API hands them over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

QUIET_OPERATIONS = ("same", "read", "refresh", "discard", "discard-replaced", "remove-pending-replace")
"""Operations that change nothing a person would want to be told of."""

STORES = ("local:Directory", "local:KeyPair", "local:Secret", "local:MlflowAccess", "local:File")
"""Types that hold data or keys: deleting or replacing one loses something."""


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
        """Whether losing this resource loses data or keys."""
        return self.type in STORES

    @property
    def loses(self) -> bool:
        """Whether the resource that is there will be removed."""
        return self.operation in ("delete", "replace", "delete-replaced")

    def line(self) -> str:
        """Return the change as one line of a plan."""
        sign = {"create": "+", "update": "~", "delete": "-", "replace": "±"}.get(self.operation, "?")
        because = f"   because of {', '.join(self.keys)}" if self.keys and self.operation != "create" else ""
        return f"{sign} {self.type:<28}{self.name}{because}"

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

    @property
    def added(self) -> int:
        """Resources that are new."""
        return self.counts.get("create", 0)

    @property
    def changed(self) -> int:
        """Resources that are changed in place."""
        return self.counts.get("update", 0)

    @property
    def replaced(self) -> int:
        """Resources that are removed and made anew."""
        return self.counts.get("replace", 0)

    @property
    def deleted(self) -> int:
        """Resources that are removed."""
        return self.counts.get("delete", 0)

    @property
    def changes(self) -> int:
        """All of them together."""
        return self.added + self.changed + self.replaced + self.deleted

    @property
    def resources(self) -> int:
        """Resources there are afterwards."""
        return self.added + self.changed + self.replaced + self.counts.get("same", 0)

    def sentence(self) -> str:
        """Return the sentence every preview ends with."""
        return f"{self.added} to add, {self.changed} to change, {self.replaced} to replace, {self.deleted} to delete"

    def take(self, event: Any) -> str | None:
        """Add one event of the Automation API; return what to show while it runs, if anything."""
        if event.summary_event is not None:
            self.counts = {_plain(key): int(value) for key, value in event.summary_event.resource_changes.items()}
            self.seconds = float(event.summary_event.duration_seconds)
        if event.policy_event is not None:
            self.findings.append(_finding(event.policy_event))
        if event.diagnostic_event is not None:
            self._diagnose(event.diagnostic_event)
        if event.resource_pre_event is not None:
            return self._begin(event.resource_pre_event.metadata)
        return None

    def _begin(self, metadata: Any) -> str | None:
        operation = _plain(metadata.op)
        if operation in QUIET_OPERATIONS or operation.startswith(("create-", "delete-")):
            return None
        step = Step(
            operation, short_type(metadata.urn), _name(metadata.urn), tuple(metadata.diffs or ()), _holds(metadata)
        )
        self.steps.append(step)
        return f"{operation} {step.type} {step.name}"

    def _diagnose(self, diagnostic: Any) -> None:
        # Ephemeral lines are the engine's own progress, and policy findings come as events of their own.
        text = _without_colour(diagnostic.message).strip()
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
    state = metadata.old or metadata.new
    inputs = (state.inputs if state is not None else None) or {}
    return str(inputs.get("path") or inputs.get("dir") or "")


def _without_colour(text: str) -> str:
    import re

    return re.sub(r"<\{%.*?%\}>|\x1b\[[0-9;]*m", "", text)
