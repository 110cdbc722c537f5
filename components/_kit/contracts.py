"""What a component promises, read from its contract class, so that nothing promised can be forgotten."""

from typing import Any

import pulumi


def promised(contract: type[pulumi.ComponentResource]) -> tuple[str, ...]:
    """Names of the outputs that a contract class promises, in its order."""
    return tuple(contract.__annotations__)


def outputs(component: pulumi.ComponentResource, contract: type[pulumi.ComponentResource]) -> dict[str, Any]:
    """Every promised output of a component.

    Raises:
        AttributeError: if the component did not set one of them.
    """
    return {name: getattr(component, name) for name in promised(contract)}
