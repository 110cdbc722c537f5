"""What stage 3 promises, whatever the target, and what it must be told."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi


class MonitoringArgs(TypedDict):
    """What every target's monitoring is told."""

    host: pulumi.Input[Mapping[str, Any]]
    """The foundation's `host`."""
    signals: str
    """Path of `signals.yaml`: metrics, thresholds, windows, routes."""
    alert_owner: str
    """Who receives alerts."""
    interval_seconds: NotRequired[int]
    """How often monitors run. Range 1 to 86,400 seconds, default 60."""
    log_retention_days: NotRequired[int]
    """How long prediction records are kept. Default 183 days (AI Act, Article 19)."""
    alerting: NotRequired[str]
    """Who turns signals into alerts: `builtin` (default), or `prometheus` for Prometheus and Alertmanager."""
    tags: NotRequired[Mapping[str, str]]
    """Tags put on everything that can carry tags."""


class Monitoring(pulumi.ComponentResource):
    """Prediction log, truth, monitors and the way of an alert to its owner."""

    prediction_log_uri: pulumi.Output[str]
    """Where every answered prediction is recorded."""
    truth_uri: pulumi.Output[str]
    """Where outcomes are handed in."""
    challenger_service: pulumi.Output[str]
    """Base URL of the shadow service; it never answers callers."""
    alert_route: pulumi.Output[Mapping[str, str]]
    """`receiver` (URL that takes Alertmanager-shaped posts) and `owner`."""
    dashboard_uri: pulumi.Output[str]
    """The monitoring page, for people."""
    platform_file: pulumi.Output[str]
    """What the run-time plane reads about this stage."""
    unavailable: pulumi.Output[Mapping[str, str]]
    """Outputs that are None on this target, each with its reason."""
