"""A named virtual environment as a resource."""

import os
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from components._kit import provider

REPOSITORY = Path(__file__).resolve().parents[2]


class EnvironmentProvider(provider.LocalProvider):
    """Keeps an environment as its hashed lock file says."""

    declared = ("name", "repository", "python")
    replacing = ("name", "repository")

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Makes the environment, or completes the one that is there."""
        _ensure(props)
        return dynamic.CreateResult(
            os.path.dirname(os.path.dirname(props["python"])), provider.outs(props, self.declared)
        )

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Brings it up to date."""
        _ensure(_news)
        return dynamic.UpdateResult(provider.outs(_news, self.declared))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Leaves it: other stacks of this repository use the same one, and it is only a copy of its lock file."""

    def as_declared(self, _olds: dict[str, Any], news: dict[str, Any]) -> bool:
        """Whether it is there and its lock file has not changed since."""
        from tools import environments

        return environments.is_current(news["name"], Path(news["repository"]))


def _ensure(props: dict[str, Any]) -> None:
    # Only the plugin needs it, and only here: a component must not depend on how environments are made.
    from tools import environments

    environments.ensure(props["name"], Path(props["repository"]))


class Environment(dynamic.Resource, module="local", name="Environment"):
    """A virtual environment from a hashed lock file. Two never share one: what they pin differs."""

    python: pulumi.Output[str]
    """Its interpreter."""

    def __init__(self, resource_name: str, *, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declares the environment.

        Args:
            resource_name: Pulumi name.
            name: Name of the environment, one of `tools.environments`; forces replacement.
            opts: Resource options.
        """
        python = REPOSITORY / ".strata" / "envs" / name / "bin" / "python"
        props = {"name": name, "repository": str(REPOSITORY), "python": str(python)}
        super().__init__(EnvironmentProvider(), resource_name, props, opts)
