"""What stage 2 promises, whatever the target, and what it must be told."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi


class PipelineArgs(TypedDict):
    """One pipeline."""

    name: str
    """Name of the pipeline."""
    definition: str
    """Path of its `pipeline.yaml`."""
    schedule: NotRequired[str | None]
    """When it runs, as a five-field cron expression in UTC. Default: only when asked."""
    approval_gate: str
    """Name of the step after which a person must sign."""


class ComputeClassArgs(TypedDict):
    """One size of a step."""

    cpu: float
    """Processor cores a step of this class may use."""
    memory_gib: float
    """Memory a step of this class may use, in GiB."""


class PipelinesArgs(TypedDict):
    """What every target's pipelines are told."""

    host: pulumi.Input[Mapping[str, Any]]
    """The foundation's `host`."""
    pipelines: Sequence[PipelineArgs]
    """The pipelines that run here."""
    compute_classes: NotRequired[Mapping[str, ComputeClassArgs]]
    """Sizes that steps ask for by name. Default: `small` (1 core, 2 GiB) and `large` (2 cores, 8 GiB)."""
    tags: NotRequired[Mapping[str, str]]
    """Tags put on everything that can carry tags."""


class Pipelines(pulumi.ComponentResource):
    """The engine that runs pipelines, their schedules, the catalogue of data."""

    engine: pulumi.Output[str]
    """Which engine runs the pipelines."""
    submit_reference: pulumi.Output[str]
    """Where a run is submitted."""
    compute_classes: pulumi.Output[Mapping[str, Mapping[str, float]]]
    """Sizes that steps ask for by name."""
    schedules: pulumi.Output[Mapping[str, str]]
    """Cron expression per scheduled pipeline."""
    experiment_store: pulumi.Output[str]
    """Where runs and their artifacts are kept."""
    catalog_uri: pulumi.Output[str]
    """The data catalogue, for people."""
    platform_file: pulumi.Output[str]
    """What the run-time plane reads about this stage."""
    unavailable: pulumi.Output[Mapping[str, str]]
    """Outputs that are None on this target, each with its reason."""
