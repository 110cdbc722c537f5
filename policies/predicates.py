"""Helpers for predicates."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from policies.model import Problem, Resource, ResourcePredicate
from policies.values import UnknownValueError

Item = TypeVar("Item")


def each(items: Iterable[Item], check: Callable[[Item], Iterator[Problem]]) -> Iterator[Problem]:
    """Check every item, also those after one whose value is not known.

    Raises:
        UnknownValueError: the first one, after all items have been checked, so that it hides no problem.
    """
    unknown: UnknownValueError | None = None
    for item in items:
        try:
            yield from check(item)
        except UnknownValueError as error:
            unknown = unknown or error
    if unknown is not None:
        raise unknown


def text_at(path: str) -> ResourcePredicate:
    """Return the predicate that there is a text at a path of the inputs."""

    def predicate(resource: Resource) -> Iterator[Problem]:
        if not resource.inputs.text(path):
            yield Problem(f"{path} is absent or empty", f"a text in {path}", resource.urn)

    predicate.__doc__ = f"There is a text in {path}."
    return predicate
