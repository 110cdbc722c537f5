"""PIP-02: retraining names an approval gate."""

from collections.abc import Iterator

from policies.model import NotApplicableError, Problem, Resource
from policies.predicates import each, text_at


def gated(resource: Resource) -> Iterator[Problem]:
    """Each pipeline names the gate at which a person signs."""
    count = resource.inputs.size("pipelines")
    if not count:
        raise NotApplicableError("no pipeline is declared")
    yield from each(range(count), lambda index: text_at(f"pipelines.{index}.approval_gate")(resource))


PREDICATES = (gated,)
