"""Take posts in Alertmanager's shape: check them, remember them, know which of them are news."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mlstep.alerts import journal
from mlstep.canonical import iso
from mlstep.errors import ConfigError

_VERSION = "4"
_STATES = ("firing", "resolved")
_REPEAT = timedelta(hours=20)
"""The same alert, told again sooner than this, is a repeated delivery and no news."""


def check(content: Any) -> list[dict[str, Any]]:
    """The alerts of a post.

    Raises:
        ConfigError: not a post of version 4; every problem in one message.
    """
    if not isinstance(content, dict):
        raise ConfigError(
            f"the post is a {type(content).__name__}", "post what Alertmanager's webhook_config posts, version 4"
        )
    problems = (
        [] if content.get("version") == _VERSION else [f"version: {content.get('version')!r}, expected '{_VERSION}'"]
    )
    alerts = content.get("alerts")
    if not isinstance(alerts, list) or not alerts:
        problems.append("alerts: expected a list of alerts")
        alerts = []
    for number, alert in enumerate(alerts):
        problems += [f"alerts[{number}].{text}" for text in _problems(alert)]
    if problems:
        raise ConfigError(
            "post refused: " + "; ".join(problems[:20]), "post what Alertmanager's webhook_config posts, version 4"
        )
    return alerts


def news(root: Path, alerts: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """The alerts that were not told before, or long ago."""
    told = {_name(entry): datetime.fromisoformat(entry["received"]) for entry in journal.read(root, journal.ALERTS)}
    return [alert for alert in alerts if _name(alert) not in told or now - told[_name(alert)] >= _REPEAT]


def remember(root: Path, alerts: list[dict[str, Any]], now: datetime) -> None:
    """Keep alerts in the journal."""
    for alert in alerts:
        journal.append(root, journal.ALERTS, {**alert, "received": iso(now)})


def firing(root: Path) -> list[dict[str, Any]]:
    """Alerts that are on, as the journal knows them: the last word about each fingerprint."""
    last = {entry["fingerprint"]: entry for entry in journal.read(root, journal.ALERTS)}
    return [entry for entry in last.values() if entry["status"] == "firing"]


def _name(alert: dict[str, Any]) -> tuple[str, str, str]:
    return str(alert["fingerprint"]), str(alert["startsAt"]), str(alert["status"])


def _problems(alert: Any) -> list[str]:
    if not isinstance(alert, dict):
        return [f"is a {type(alert).__name__}"]
    problems = [f"{key}: missing" for key in ("labels", "annotations", "startsAt", "fingerprint") if key not in alert]
    if alert.get("status") not in _STATES:
        problems.append(f"status: {alert.get('status')!r}, expected {' or '.join(_STATES)}")
    problems += [
        f"{key}: expected a map of texts" for key in ("labels", "annotations") if not _texts(alert.get(key, {}))
    ]
    return problems


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
