"""Stage 3 on one machine: the challenger in the shadow, the monitors, and the receiver of alerts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi

from components._kit import contracts
from components._kit.arguments import Checks
from components._kit.placement import Placement
from components.monitoring import contract, prometheus

RETENTION_DAYS = 183
INTERVAL_SECONDS = 60
DAY_SECONDS = 86400
FOLDERS = ("truth", "truth/inbox", "metrics", "alerts")


@dataclass(frozen=True)
class _Settings:
    signals: str
    alert_owner: str
    interval_seconds: int
    log_retention_days: int
    programs: Mapping[str, str]


def _resolve(name: str, args: contract.MonitoringArgs) -> _Settings:
    checks = Checks("LocalMonitoring", name)
    signals = checks.text(args, "signals", "an absolute path")
    checks.that(
        not signals or Path(signals).is_absolute(),
        "signals",
        signals,
        "an absolute path",
        "resolve it against the repository",
    )
    interval = checks.whole(args, "interval_seconds", INTERVAL_SECONDS, 1, DAY_SECONDS)
    days = checks.whole(args, "log_retention_days", RETENTION_DAYS, 1, 36500)
    programs = prometheus.resolve(checks, args)
    checks.done()
    # That an owner must be named is a control, with its exceptions; so an empty one is passed on for policy to refuse.
    return _Settings(signals, args["alert_owner"], interval, days, programs)


class LocalMonitoring(contract.Monitoring):
    """Challenger, alerting and receiver as supervised processes, and Prometheus with Alertmanager where chosen."""

    def __init__(self, name: str, args: contract.MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Builds stage 3.

        Raises:
            pulumi.InputPropertiesError: if arguments are wrong; the message has every problem.
        """
        settings = _resolve(name, args)
        super().__init__("strata:index:LocalMonitoring", name, cast(dict[str, Any], {**args}), opts)
        place = Placement(self, name, args["host"])
        folders = [place.directory(folder) for folder in FOLDERS]
        self.prediction_log_uri = place.path("predictions").apply(lambda path: f"file://{path}")
        self.truth_uri = place.path("truth").apply(lambda path: f"file://{path}")
        self.challenger_service = place.url("challenger")
        self.alert_route = place.url("receiver", "/alerts").apply(
            lambda receiver: {"receiver": receiver, "owner": settings.alert_owner}
        )
        self.dashboard_uri = place.url("portal", "/monitoring/")
        platform = place.platform_file(
            "monitoring",
            {
                "prediction_log_uri": self.prediction_log_uri,
                "truth_uri": self.truth_uri,
                "signals": settings.signals,
                "alert_route": self.alert_route,
                "interval_seconds": settings.interval_seconds,
                "dashboard_uri": self.dashboard_uri,
                "log_retention_days": settings.log_retention_days,
                # Only where it is chosen: every other stack's file stays as it is, byte for byte.
                **({"alerting": prometheus.MODE} if settings.programs else {}),
            },
        )
        challenger = place.mlstep(place.python, "serve", "--role", "challenger", process="challenger")
        place.process("challenger", challenger, health="/ready", reads=platform, depends_on=folders)
        for process in ("receiver", "alerting"):
            command = place.mlstep(place.python, process, process=process)
            last = place.process(process, command, health="/healthz", reads=platform, depends_on=folders)
        if settings.programs:
            prometheus.build(place, settings.programs, settings.interval_seconds, last, folders)
        self.platform_file = platform.path
        self.unavailable = pulumi.Output.from_input(cast(dict[str, str], {}))
        self.register_outputs(contracts.outputs(self, contract.Monitoring))
