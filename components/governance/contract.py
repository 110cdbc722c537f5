"""What governance promises, whatever the target, and what it must be told."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi


class UseCaseArgs(TypedDict):
    """An AI system and the people who answer for it."""

    id: str
    """Identifier in the inventory of AI systems."""
    purpose: str
    """What decisions the system supports, in one or two sentences."""
    risk_class: str
    """Risk class of the EU AI Act: `minimal`, `limited` or `high`."""
    owner: str
    """Who answers for the use case."""
    deputy: str
    """Who answers when the owner is away."""
    risk_approver: str
    """Who signs promotions; never the owner."""


class DataArgs(TypedDict):
    """One data product."""

    name: str
    """Name of the data product."""
    contract: str
    """Path of its data contract (ODCS YAML)."""
    source: NotRequired[str | None]
    """Where rows come from: a path, or `synthetic:credit?rows=…`."""
    owner: str
    """Who answers for the data."""
    freshness_hours: NotRequired[float | None]
    """Oldest age at which the data may still be used, in hours."""


class GovernanceArgs(TypedDict):
    """What every target's governance is told."""

    host: pulumi.Input[Mapping[str, Any]]
    """The foundation's `host`."""
    use_case: UseCaseArgs
    """The AI system that the workspace serves."""
    data: Sequence[DataArgs]
    """The data that the use case reads."""
    log_retention_days: NotRequired[int]
    """How long logs and prediction records are kept. Default 183 days (AI Act, Article 19)."""
    tags: NotRequired[Mapping[str, str]]
    """Tags put on everything that can carry tags."""


class Governance(pulumi.ComponentResource):
    """The use-case record of the workspace, kept where the run-time plane enforces it."""

    use_case: pulumi.Output[Mapping[str, Any]]
    """The use case as it was declared."""
    risk_class: pulumi.Output[str]
    """Risk class of the EU AI Act."""
    log_retention_days: pulumi.Output[int]
    """How long logs and prediction records are kept, in days."""
    platform_file: pulumi.Output[str]
    """What the run-time plane reads about this stage."""
    unavailable: pulumi.Output[Mapping[str, str]]
    """Outputs that are None on this target, each with its reason."""
