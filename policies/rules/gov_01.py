"""GOV-01: the stack declares one use case."""

from collections.abc import Iterator

from policies.model import Problem, Resource, Stack
from policies.predicates import each, text_at

CLASSES = ("minimal", "limited", "high", "prohibited")


def exactly_one(stack: Stack) -> Iterator[Problem]:
    """One governance component, not none and not several."""
    found = stack.of("governance")
    if len(found) != 1:
        names = ", ".join(resource.name for resource in found) or "none"
        yield Problem(f"{len(found)} governance components ({names})", "exactly one in the stack")


def identified(stack: Stack) -> Iterator[Problem]:
    """The use case has an id."""
    yield from each(stack.of("governance"), text_at("use_case.id"))


def described(stack: Stack) -> Iterator[Problem]:
    """The use case has a purpose."""
    yield from each(stack.of("governance"), text_at("use_case.purpose"))


def classified(stack: Stack) -> Iterator[Problem]:
    """The use case has a risk class of the EU AI Act."""
    yield from each(stack.of("governance"), _classified)


def _classified(resource: Resource) -> Iterator[Problem]:
    risk_class = resource.inputs.text("use_case.risk_class")
    if risk_class not in CLASSES:
        yield Problem(f"use_case.risk_class is {risk_class!r}", f"one of {', '.join(CLASSES[:-1])}", resource.urn)


PREDICATES = (exactly_one, identified, described, classified)
