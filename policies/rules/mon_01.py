"""MON-01: alerts reach the owner."""

from collections.abc import Iterator

from policies.model import Problem, Stack
from policies.predicates import each, text_at


def monitored(stack: Stack) -> Iterator[Problem]:
    """A stack from stage 3 on has a monitoring component."""
    if not stack.of("monitoring"):
        yield Problem("no monitoring component", "a monitoring component with an alert route")


def somebody_is_told(stack: Stack) -> Iterator[Problem]:
    """The monitoring component names who receives alerts."""
    yield from each(stack.of("monitoring"), text_at("alert_owner"))


def somewhere_to_send(stack: Stack) -> Iterator[Problem]:
    """The alert route has a receiver."""
    for resource in stack.of("monitoring"):
        if not stack.require_output(resource, "alert_route.receiver"):
            yield Problem("alert_route.receiver is absent or empty", "a receiver in alert_route", resource.urn)


PREDICATES = (monitored, somebody_is_told, somewhere_to_send)
