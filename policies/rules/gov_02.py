"""GOV-02: a prohibited use case is never deployed."""

from collections.abc import Iterator

from policies.model import Problem, Resource


def not_prohibited(resource: Resource) -> Iterator[Problem]:
    """The class is not `prohibited`, in whatever spelling."""
    risk_class = resource.inputs.text("use_case.risk_class")
    if risk_class.casefold() == "prohibited":
        yield Problem(f"use_case.risk_class is {risk_class!r}", "a use case that the EU AI Act does not prohibit")


PREDICATES = (not_prohibited,)
