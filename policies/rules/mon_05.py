"""MON-05: logs are kept for 183 days or more."""

from collections.abc import Iterator

from policies.model import Problem, Resource

MINIMUM_DAYS = 183
"""Six months, EU AI Act, Articles 19(1) and 26(6)."""


def long_enough(resource: Resource) -> Iterator[Problem]:
    """The retention is set, and is not shorter than six months; a component's default is not trusted."""
    days = resource.inputs.get("log_retention_days")
    required = f"log_retention_days of {MINIMUM_DAYS} or more"
    if days is None:
        yield Problem("log_retention_days is not set", required)
    elif isinstance(days, bool) or not isinstance(days, int | float):
        yield Problem(f"log_retention_days is {days!r}", required)
    elif days < MINIMUM_DAYS:
        yield Problem(f"log_retention_days is {days:g}", required)


PREDICATES = (long_enough,)
