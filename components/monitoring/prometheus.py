"""Prometheus and Alertmanager on one machine: what each is told, and how it is started.

The configurations are JSON, which is YAML as well, so the same input gives the same bytes without a library. They name
the file that holds the receiver's token and never the token.
"""

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components._kit.arguments import Checks
from components._kit.files import File
from components._kit.placement import Placement
from components._kit.process import Process

BUILTIN = "builtin"
MODE = "prometheus"
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "prometheus": ("prometheus",),
    "alertmanager": ("alertmanager", "prometheus-alertmanager"),
}
"""Names that each program goes by; Debian's package of Alertmanager has a name of its own for it."""
RETENTION = "30d"
LONGEST_PACE_SECONDS = 60
"""Prometheus forgets a number after five minutes; scraped more rarely, an alert would end between two scrapes."""
LONGEST_SCRAPE_SECONDS = 10
HEALTH = "/-/healthy"
CONFIGURATIONS = {"prometheus": "metrics/prometheus.yml", "alertmanager": "alerts/alertmanager.yml"}


def resolve(checks: Checks, args: Mapping[str, Any]) -> Mapping[str, str]:
    """Absolute paths of both programs, or nothing where they are not asked for; what is missing is one problem."""
    mode = args.get("alerting", BUILTIN)
    checks.that(mode in (BUILTIN, MODE), "alerting", mode, f"{BUILTIN} or {MODE}", "correct it in the record")
    if mode != MODE:
        return {}
    found = {name: _on_path(names) for name, names in PROGRAMS.items()}
    missing = [" or ".join(PROGRAMS[name]) for name, path in found.items() if path is None]
    checks.that(
        not missing,
        "alerting",
        mode,
        f"{BUILTIN} on a machine without {' and '.join(missing)} on PATH",
        "install what is missing (Debian: prometheus, prometheus-alertmanager), "
        f"or write monitoring.alerting: {BUILTIN} in the record",
    )
    return {name: path for name, path in found.items() if path is not None}


def build(
    place: Placement,
    programs: Mapping[str, str],
    interval_seconds: int,
    alerting: Process,
    folders: Sequence[pulumi.Resource],
) -> None:
    """Both processes with their configurations; Prometheus after the monitors, which write its rules as they start."""
    reads = _file(place, "alertmanager", _alertmanager(place), folders)
    command = [
        *_common(place, "alertmanager", programs["alertmanager"]),
        "--cluster.listen-address=",  # no cluster, so no second port
        pulumi.Output.concat("--storage.path=", place.path("alerts/alertmanager")),
    ]
    manager = place.process("alertmanager", command, health=HEALTH, reads=reads, depends_on=folders)
    reads = _file(place, "prometheus", _prometheus(place, interval_seconds), folders)
    command = [
        *_common(place, "prometheus", programs["prometheus"]),
        pulumi.Output.concat("--storage.tsdb.path=", place.path("metrics/prometheus")),
        f"--storage.tsdb.retention.time={RETENTION}",
    ]
    place.process("prometheus", command, health=HEALTH, reads=reads, depends_on=[*folders, alerting, manager])


def _common(place: Placement, process: str, program: str) -> list[pulumi.Input[str]]:
    """Its own address is told as well, or it would write the machine's name into every alert."""
    return [
        program,
        pulumi.Output.concat("--config.file=", place.path(CONFIGURATIONS[process])),
        pulumi.Output.concat("--web.external-url=", place.url(process)),
        pulumi.Output.concat("--web.listen-address=", _address(place, process)),
    ]


def _prometheus(place: Placement, interval_seconds: int) -> dict[str, Any]:
    """Scrape what the monitors measured, judge the rules that they wrote, tell Alertmanager."""
    pace = min(interval_seconds, LONGEST_PACE_SECONDS)
    return {
        "global": {
            "evaluation_interval": f"{pace}s",
            "scrape_interval": f"{pace}s",
            "scrape_timeout": f"{min(pace, LONGEST_SCRAPE_SECONDS)}s",
        },
        "rule_files": [pulumi.Output.concat(place.path("metrics/rules"), "/*.yaml")],
        "scrape_configs": [
            {"job_name": "strata-alerting", "static_configs": [{"targets": [_address(place, "alerting")]}]}
        ],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [_address(place, "alertmanager")]}]}]},
    }


def _alertmanager(place: Placement) -> dict[str, Any]:
    """One route, to the receiver, with the least identity that it takes."""
    webhook = {
        "url": place.url("receiver", "/alerts"),
        "send_resolved": True,
        "http_config": {
            "authorization": {"type": "Bearer", "credentials_file": place.path("secrets/serve.token")},
            "follow_redirects": False,
        },
    }
    return {
        "route": {
            "receiver": "strata",
            "group_by": ["alertname", "model"],
            "group_wait": "5s",
            "group_interval": "30s",
            "repeat_interval": "24h",
        },
        "receivers": [{"name": "strata", "webhook_configs": [webhook]}],
    }


def _file(place: Placement, process: str, content: dict[str, Any], folders: Sequence[pulumi.Resource]) -> File:
    text = pulumi.Output.json_dumps(content, indent=1, sort_keys=True).apply(lambda text: text + "\n")
    return place.file(f"{process}-configuration", CONFIGURATIONS[process], text, folders)


def _address(place: Placement, process: str) -> pulumi.Output[str]:
    return place.port(process).apply(lambda port: f"127.0.0.1:{port}")


def _on_path(names: Sequence[str]) -> str | None:
    """Where the first of the names is; a process inherits no PATH, so it is started by its whole path."""
    return next((path for name in names if (path := shutil.which(name)) is not None), None)
