"""The words of the pack: control, resource, stack, problem, verdict."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from policies import normalise
from policies.values import Properties, UnknownValueError

STACK_TYPE = "pulumi:pulumi:Stack"


class Verdict(Enum):
    """What came out for one control on one resource. Worst last."""

    NOT_APPLICABLE = "not applicable"
    PASS = "pass"  # noqa: S105  (a verdict)
    EXCEPTED = "excepted"
    UNDETERMINED = "undetermined"
    FAIL = "fail"
    ERROR = "error"


WORSE = tuple(Verdict)
"""Verdicts in the order in which one hides another when several resources are summed up."""


class Level(Enum):
    """What a failed control does to the deployment. Strictest last."""

    OFF = "off"
    ADVISORY = "advisory"
    MANDATORY = "mandatory"

    @property
    def strictness(self) -> int:
        """Position in the order off, advisory, mandatory."""
        return tuple(Level).index(self)


@dataclass(frozen=True)
class Problem:
    """What a predicate found wrong."""

    found: str
    """What is there, with the property's path."""
    required: str
    """What must be there instead."""
    urn: str = ""
    """The resource concerned; empty for the one that is checked, or for the stack as a whole."""


@dataclass(frozen=True)
class Resource:
    """One resource as rules see it."""

    urn: str
    token: str
    inputs: Properties = field(repr=False)
    outputs: Properties = field(default_factory=lambda: Properties({}), repr=False)
    protect: bool = False

    @property
    def kind(self) -> str:
        """Name of the type, the same for every spelling of the token."""
        return normalise.kind(self.token)

    @property
    def is_stack(self) -> bool:
        """Whether it stands for the stack itself."""
        return self.token == STACK_TYPE

    @property
    def target(self) -> str | None:
        """Target the component belongs to, None for other types."""
        return normalise.target(self.token)

    @property
    def name(self) -> str:
        """Name of the resource, from its URN."""
        return normalise.name_of(self.urn)

    def secrets(self) -> frozenset[str]:
        """Return what no message about this resource may hold."""
        return self.inputs.secrets() | self.outputs.secrets()


@dataclass(frozen=True)
class Stack:
    """All resources of a stack, and what is known about it as a whole."""

    name: str
    resources: tuple[Resource, ...]
    preview: bool = False
    """Whether resources may still lack outputs that the update will give them."""

    def of(self, kind: str) -> tuple[Resource, ...]:
        """Return the resources of a kind."""
        return tuple(resource for resource in self.resources if resource.kind == kind)

    def require_output(self, resource: Resource, path: str) -> object:
        """Return an output that the resource must have.

        Raises:
            UnknownValueError: in a preview, where the engine drops a whole object when a part of it is not known yet.
        """
        value = resource.outputs.get(path)
        if value is None and self.preview:
            raise UnknownValueError(path)
        return value


class NotApplicableError(Exception):
    """A predicate found that its control does not concern this resource; the text says why."""


ResourcePredicate = Callable[[Resource], Iterator[Problem]]


@dataclass(frozen=True)
class Control:
    """One governance rule of the catalogue."""

    id: str
    title: str
    intent: str
    severity: str
    stage: int
    targets: tuple[str, ...]
    kind: str
    """`resource` or `stack`."""
    applies_to: tuple[str, ...]
    maps_to: Mapping[str, tuple[str, ...]]
    levels: Mapping[str, Level]
    risk_class_levels: Mapping[str, Mapping[str, Level]]
    fix: str
    required: str
    remedy: str
    inspects: tuple[str, ...]
    exceptions: bool
    """Whether the register may except it at all."""

    def concerns(self, kind: str) -> bool:
        """Return whether the control is about resources of a kind; `*` stands for all but the stack itself."""
        return kind in self.applies_to or ("*" in self.applies_to and kind != STACK_TYPE)

    @property
    def page(self) -> str:
        """Path of the control's page."""
        return f"docs/controls/{self.id}.md"

    def level(self, environment: str, risk_class: str | None) -> Level:
        """Return the level in an environment; the strictest one where the risk class is not known."""
        base = self.levels[environment]
        if risk_class is None:
            others = [levels.get(environment, base) for levels in self.risk_class_levels.values()]
            return max([base, *others], key=lambda level: level.strictness)
        return self.risk_class_levels.get(risk_class, {}).get(environment, base)

    @property
    def strictest(self) -> Level:
        """The strictest level in any environment."""
        return max((self.level(name, None) for name in normalise.ENVIRONMENTS), key=lambda level: level.strictness)


@dataclass(frozen=True)
class Waiver:
    """A time-limited permission to break one control, from the register."""

    id: str
    control: str
    resource: str
    stack: str
    owner: str
    approver: str
    reason: str
    ticket: str
    compensating_control: str
    issued: date
    expires: date


@dataclass(frozen=True)
class Finding:
    """One thing that a verdict rests on."""

    urn: str
    """The resource concerned."""
    found: str
    """What was found, in a few words."""
    message: str
    """What a person reads: control, resource, what was found and required, remedy, page."""


@dataclass(frozen=True)
class Result:
    """The verdict for one control on one resource, with what a person must know about it."""

    control: str
    urn: str
    verdict: Verdict
    level: Level
    findings: tuple[Finding, ...] = ()
    exception: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the deployment must stop: an error always does, a failure does at level mandatory."""
        return self.verdict is Verdict.ERROR or (self.verdict is Verdict.FAIL and self.level is Level.MANDATORY)
