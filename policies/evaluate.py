"""Runs controls over resources and stacks, each on its own, and keeps the verdicts."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from policies import messages, normalise
from policies.controls import Catalogue
from policies.model import Control, Finding, Level, NotApplicableError, Problem, Resource, Result, Stack, Verdict
from policies.register import Register
from policies.source import InvalidSourceError
from policies.values import UnknownValueError

Predicate = Callable[[Any], Iterator[Problem]]


def load_rules(catalogue: Catalogue) -> dict[str, tuple[Predicate, ...]]:
    """Return the predicates of every control.

    Raises:
        InvalidSourceError: if a control has no rule file, or one without predicates.
    """
    found: dict[str, tuple[Predicate, ...]] = {}
    problems = []
    for control in catalogue.controls:
        name = messages.rule_module(control.id)
        try:
            predicates = importlib.import_module(f"policies.rules.{name}").PREDICATES
        except Exception as error:  # noqa: BLE001  (whatever a rule file does when loaded, all of them are reported)
            problems.append(f"{control.id}: rules/{name}.py: {error}; write the rule with its PREDICATES")
            continue
        found[control.id] = tuple(predicates)
        if not found[control.id]:
            problems.append(f"{control.id}: rules/{name}.py has no predicate; write one, or drop the control")
    if problems:
        raise InvalidSourceError(problems)
    return found


class Evaluator:
    """Evaluates controls for one stack. A control that raises, or meets an unknown value, never touches another one."""

    def __init__(
        self, catalogue: Catalogue, register: Register, rules: Mapping[str, tuple[Predicate, ...]], stack: str
    ) -> None:
        self.catalogue = catalogue
        self.register = register
        self.stack_name = stack
        self.results: dict[tuple[str, str], Result] = {}
        self._rules = rules
        self._named = normalise.environment_of(stack)
        self._declared: set[str] = set()
        self._risk_classes: set[str] = set()

    @property
    def environments(self) -> tuple[str, ...]:
        """Environments whose levels hold: that in the stack's name (else production), and one declared otherwise."""
        found = {self._named or "prod"} | self._declared
        return tuple(name for name in normalise.ENVIRONMENTS if name in found)

    @property
    def risk_class(self) -> str | None:
        """The declared risk class; None while it is not known, or not one: the strictest levels hold then."""
        return next(iter(self._risk_classes)) if len(self._risk_classes) == 1 else None

    def level(self, control: Control) -> Level:
        """Return the level at which a control is enforced here: the strictest of the environments concerned."""
        levels = [control.level(environment, self.risk_class) for environment in self.environments]
        return max(levels, key=lambda level: level.strictness)

    def learn(self, resource: Resource) -> None:
        """Note what a component declares that decides about levels: the environment and the risk class."""
        try:
            if resource.kind == "foundation":
                declared = resource.inputs.text("environment")
                self._declared |= {declared} & set(normalise.ENVIRONMENTS)
            if resource.kind == "governance":
                self._risk_classes.add(resource.inputs.text("use_case.risk_class"))
        except UnknownValueError:
            self._risk_classes |= {"not known yet", "nor its levels"}

    def check_resource(self, resource: Resource) -> list[Result]:
        """Return the verdicts of all controls about single resources."""
        self.learn(resource)
        controls = [control for control in self.catalogue.controls if control.kind == "resource"]
        concerned = [control for control in controls if control.concerns(resource.kind)]
        results = []
        for control in concerned:
            reason = _other_target(control, {resource.target} - {None})
            if reason:
                results.append(self._not_applicable(control, resource.urn, self.level(control), [reason]))
            else:
                results.append(self._judge(control, resource, resource.urn, resource.secrets()))
        return results

    def check_stack(self, stack: Stack) -> list[Result]:
        """Return the verdicts of all controls about the stack as a whole."""
        for resource in stack.resources:
            self.learn(resource)
        secrets = frozenset().union(*(resource.secrets() for resource in stack.resources))
        urn = next((resource.urn for resource in stack.resources if resource.is_stack), "")
        results = []
        for control in self.catalogue.controls:
            if control.kind != "stack":
                continue
            reason = _not_concerned(control, stack)
            if reason:
                results.append(self._not_applicable(control, urn, self.level(control), [reason]))
            else:
                results.append(self._judge(control, stack, urn, secrets))
        return results

    def _judge(self, control: Control, subject: Resource | Stack, urn: str, secrets: frozenset[str]) -> Result:
        level = self.level(control)
        if level is Level.OFF:
            return self._not_applicable(control, urn, level, [self._off_reason(control)])
        seen = _run(self._rules[control.id], subject, secrets)
        if seen.errors:
            findings = tuple(messages.broken(control, urn, error) for error in seen.errors)
            return self._keep(Result(control.id, urn, Verdict.ERROR, level, findings))
        if seen.problems:
            return self._keep(self._failed(control, urn, level, seen.problems))
        if seen.unknown:
            findings = tuple(messages.undetermined(control, urn, why) for why in seen.unknown)
            return self._keep(Result(control.id, urn, Verdict.UNDETERMINED, level, findings))
        if seen.reasons and not seen.answered:
            return self._not_applicable(control, urn, level, seen.reasons)
        return self._keep(Result(control.id, urn, Verdict.PASS, level))

    def _failed(self, control: Control, urn: str, level: Level, problems: list[Problem]) -> Result:
        """Return the verdict for problems: excepted only when an exception in force covers every one of them."""
        concerned = [problem.urn or urn for problem in problems]
        waivers = [self.register.match(control.id, self.stack_name, place) for place in concerned]
        covered = [waiver for waiver in waivers if waiver is not None]
        if len(covered) == len(problems) and control.exceptions:
            findings = tuple(
                messages.excepted(control, problem, place, waiver)
                for problem, place, waiver in zip(problems, concerned, covered, strict=True)
            )
            names = ", ".join(sorted({waiver.id for waiver in covered}))
            return Result(control.id, urn, Verdict.EXCEPTED, level, findings, names)
        lapsed = [self.register.lapsed(control.id, self.stack_name, place) for place in concerned]
        findings = tuple(messages.failed(control, *parts) for parts in zip(problems, concerned, lapsed, strict=True))
        return Result(control.id, urn, Verdict.FAIL, level, findings)

    def _off_reason(self, control: Control) -> str:
        on = [name for name in normalise.ENVIRONMENTS if control.level(name, self.risk_class) is not Level.OFF]
        return f"{'/'.join(self.environments)}: applies in {', '.join(on)} only"

    def _not_applicable(self, control: Control, urn: str, level: Level, reasons: list[str]) -> Result:
        findings = tuple(Finding(urn, reason, reason) for reason in reasons)
        return self._keep(Result(control.id, urn, Verdict.NOT_APPLICABLE, level, findings))

    def _keep(self, result: Result) -> Result:
        self.results[result.control, result.urn] = result
        return result


@dataclass
class _Seen:
    """What the predicates of one control came to."""

    problems: list[Problem] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    answered: int = 0


def _run(predicates: tuple[Predicate, ...], subject: Resource | Stack, secrets: frozenset[str]) -> _Seen:
    seen = _Seen()
    for predicate in predicates:
        try:
            # One by one: what a predicate reported before it met an unknown value stays reported.
            for problem in predicate(subject):
                found, required = messages.redact(problem.found, secrets), messages.redact(problem.required, secrets)
                seen.problems.append(Problem(found, required, problem.urn))
            seen.answered += 1
        except NotApplicableError as reason:
            seen.reasons.append(messages.redact(str(reason), secrets))
        except UnknownValueError as error:
            seen.unknown.append(messages.redact(str(error), secrets))
        except Exception as error:  # noqa: BLE001  (a broken rule must show, and must not stop the other controls)
            seen.errors.append(messages.place_of(error))
    return seen


def _not_concerned(control: Control, stack: Stack) -> str:
    reason = _other_target(control, {resource.target for resource in stack.resources} - {None})
    if reason:
        return reason
    stage = max([1, *(normalise.STAGES.get(resource.kind, 0) for resource in stack.resources)])
    return f"stage {stage}: applies from stage {control.stage} on" if stage < control.stage else ""


def _other_target(control: Control, targets: set[str | None]) -> str:
    """Return why the control is not about these targets; empty if it is about one of them, or none is known."""
    if not targets or targets & set(control.targets):
        return ""
    return f"target {', '.join(sorted(map(str, targets)))}: applies to {', '.join(control.targets)} only"
