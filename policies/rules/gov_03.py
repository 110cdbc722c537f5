"""GOV-03: owner, deputy and risk approver are named, and nobody approves their own system."""

from collections.abc import Iterator
from itertools import combinations

from policies.model import Problem, Resource, ResourcePredicate
from policies.predicates import text_at

ROLES = ("use_case.owner", "use_case.deputy", "use_case.risk_approver")


def different(first: str, second: str) -> ResourcePredicate:
    """Return the predicate that two roles are not one person, whatever the case of letters."""

    def predicate(resource: Resource) -> Iterator[Problem]:
        people = [resource.inputs.text(role) for role in (first, second)]
        if people[0] and people[0].casefold() == people[1].casefold():
            yield Problem(f"{first} and {second} are both {people[0]!r}", f"somebody else in {second}")

    predicate.__doc__ = f"{first} and {second} are different people."
    return predicate


PREDICATES = (
    *(text_at(role) for role in ROLES),
    *(different(first, second) for first, second in combinations(ROLES, 2)),
)
