"""REG-03: stores in production are protected against deletion."""

from collections.abc import Iterator

from policies.model import Problem, Resource


def protected(resource: Resource) -> Iterator[Problem]:
    """The engine refuses to delete the resource."""
    if not resource.protect:
        yield Problem("the resource option protect is false", "protect: true")


PREDICATES = (protected,)
