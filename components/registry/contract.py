"""What stage 1 promises, whatever the target, and what it must be told."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi


class ModelRegistryArgs(TypedDict):
    """What every target's model registry is told."""

    host: pulumi.Input[Mapping[str, Any]]
    """The foundation's `host`."""
    default_model: str
    """Name of the model that the prediction service serves unless it is asked for another one."""
    tags: NotRequired[Mapping[str, str]]
    """Tags put on everything that can carry tags."""


class LocalModelRegistryArgs(ModelRegistryArgs):
    """What the model registry on one machine is told besides."""

    backend_store_url: NotRequired[pulumi.Input[str] | None]
    """PostgreSQL URL for MLflow's tables. Secret. Default: an sqlite file below the platform folder."""


class ModelRegistry(pulumi.ComponentResource):
    """MLflow, artifact store and prediction service."""

    tracking_uri: pulumi.Output[str]
    """MLflow tracking server."""
    artifact_store_uri: pulumi.Output[str]
    """Artifact store; released models in it are written once and never changed."""
    image_registry: pulumi.Output[str | None]
    """Container registry, or None with a reason in `unavailable`."""
    ci_identity: pulumi.Output[str | None]
    """Keyless identity for continuous integration, or None with a reason in `unavailable`."""
    prediction_service: pulumi.Output[str]
    """Base URL of the service that answers with the champion."""
    portal_uri: pulumi.Output[str]
    """Home page of the platform for people."""
    platform_file: pulumi.Output[str]
    """What the run-time plane reads about this stage."""
    unavailable: pulumi.Output[Mapping[str, str]]
    """Outputs that are None on this target, each with its reason."""
