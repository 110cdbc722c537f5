"""GOV-09: every stage carries owner, use case, risk class and environment as tags."""

from collections.abc import Iterator

from policies import normalise
from policies.model import Problem, Resource
from policies.predicates import text_at

TAGS = ("owner", "use-case", "risk-class", "environment")


def environment_of_the_stack(resource: Resource) -> Iterator[Problem]:
    """The environment in the tag is the one in the stack's name."""
    stack = normalise.stack_of(resource.urn)
    environment = normalise.environment_of(stack)
    tag = resource.inputs.text("tags.environment")
    if tag and environment and tag != environment:
        yield Problem(f"tags.environment is {tag!r} in stack {stack!r}", f"tags.environment {environment!r}")


PREDICATES = (*(text_at(f"tags.{tag}") for tag in TAGS), environment_of_the_stack)
