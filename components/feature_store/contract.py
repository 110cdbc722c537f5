"""What stage 4 promises, whatever the target, and what it must be told."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi


class GuardArgs(TypedDict):
    """Limits of automatic retraining."""

    cool_down_hours: NotRequired[float]
    """Shortest time between two retraining runs, in hours. Default 24."""
    maximum_runs_per_week: NotRequired[int]
    """Most retraining runs in seven days. Default 2."""


class FeatureStoreArgs(TypedDict):
    """What every target's feature store is told."""

    host: pulumi.Input[Mapping[str, Any]]
    """The foundation's `host`."""
    guards: NotRequired[GuardArgs]
    """What keeps an alert from starting retraining too often."""
    tags: NotRequired[Mapping[str, str]]
    """Tags put on everything that can carry tags."""


class FeatureStore(pulumi.ComponentResource):
    """Feast with offline and online store, and the guarded retraining trigger."""

    offline_uri: pulumi.Output[str]
    """Offline store: history of feature values for training."""
    online_uri: pulumi.Output[str]
    """Online store: latest feature values for serving."""
    feature_registry_uri: pulumi.Output[str]
    """Registry of feature definitions."""
    feature_server: pulumi.Output[str]
    """Base URL of the feature server."""
    retrain_trigger: pulumi.Output[str]
    """Where an alert asks for retraining."""
    platform_file: pulumi.Output[str]
    """What the run-time plane reads about this stage."""
    unavailable: pulumi.Output[Mapping[str, str]]
    """Outputs that are None on this target, each with its reason."""
