"""Tell the receiver: alerts in the shape in which Alertmanager posts them, each change once, until it is taken."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from mlstep.canonical import digest_json, iso
from mlstep.errors import StrataError
from mlstep.monitoring.evaluate import Round
from mlstep.monitoring.signals import Signals
from mlstep.monitoring.state import Alert
from mlstep.platform import Platform

_log = logging.getLogger(__name__)
_NEVER = "0001-01-01T00:00:00Z"
_MOST_WAITING = 200
Post = Callable[[str, str, dict[str, Any]], None]


def collect(facts: Platform, found: Round, signals: Signals) -> None:
    """Put what the receiver must hear into the model's waiting list: new alerts, those due again, ended ones."""
    now = found.time
    due = [
        alert
        for _, alert in sorted(found.state.alerts.items())
        if _due(alert, now, timedelta(hours=signals.repeat_hours))
    ]
    for alert in due:
        alert.told = iso(now)
    ended = [alert for alert in found.ended if alert.told is not None]
    if due:
        found.state.waiting.append(payload(facts, found, signals, due, "firing"))
    if ended:
        found.state.waiting.append(payload(facts, found, signals, ended, "resolved"))
    if len(found.state.waiting) > _MOST_WAITING:
        _log.error(
            "%s: the receiver has not answered for long; the %d oldest posts are dropped",
            found.model,
            len(found.state.waiting) - _MOST_WAITING,
        )
        del found.state.waiting[:-_MOST_WAITING]


def hand_over(facts: Platform, found: Round, signals: Signals) -> None:
    """End, with the receiver, what this process told it before Alertmanager took over; tell nothing new.

    Nobody else would end it: an alert of Alertmanager's has another fingerprint.
    """
    told = [alert for _, alert in sorted(found.state.alerts.items()) if alert.told is not None]
    told += [alert for alert in found.ended if alert.told is not None]
    if told:
        found.state.waiting.append(payload(facts, found, signals, told, "resolved"))
    for alert in told:
        alert.told = None


def deliver(facts: Platform, found: Round, post: Post) -> None:
    """Post what waits, oldest first; what is not taken waits for the next round."""
    receiver = facts.stage("monitoring")["alert_route"]["receiver"]
    token = facts.identity("serve")[1]
    while found.state.waiting:
        try:
            post(receiver, token, found.state.waiting[0])
        except StrataError as error:
            _log.warning("%s: %s", found.model, error)
            return
        del found.state.waiting[0]


def payload(facts: Platform, found: Round, signals: Signals, alerts: list[Alert], status: str) -> dict[str, Any]:
    """One post, version 4; see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config."""
    entries = [_entry(facts, found, signals, alert, status) for alert in alerts]
    common = {
        key: value
        for key, value in entries[0]["labels"].items()
        if all(entry["labels"].get(key) == value for entry in entries)
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{model="{found.model}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "strata",
        "groupLabels": {"model": found.model},
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": facts.stage("monitoring").get("dashboard_uri", ""),
        "alerts": entries,
    }


def post(url: str, token: str, content: dict[str, Any]) -> None:
    """POST JSON with a bearer token.

    Raises:
        UnavailableError: no answer, or one that asks to come again.
        ConfigError: the receiver refuses the post.
    """
    import httpx

    from mlstep.errors import ConfigError, UnavailableError

    try:
        answer = httpx.post(
            url, json=content, headers={"Authorization": f"Bearer {token}"}, timeout=15.0, trust_env=False
        )
    except httpx.HTTPError as error:
        raise UnavailableError(
            f"{url}: {type(error).__name__}", "is the process `receiver` running? `strata status` says"
        ) from None
    if answer.status_code >= 500 or answer.status_code in {401, 403, 408, 429}:
        raise UnavailableError(f"{url} answered {answer.status_code}", "it is asked again in the next round")
    if answer.status_code >= 400:
        raise ConfigError(
            f"{url} refused the post: {answer.status_code} {answer.text[:300]}",
            "receiver and alerting must be of the same version",
        )


def _entry(facts: Platform, found: Round, signals: Signals, alert: Alert, status: str) -> dict[str, Any]:
    signal = signals.signals.get(alert.signal)
    stage = facts.stage("foundation")
    champion = found.champion
    labels = {
        "alertname": f"strata_{alert.signal}",
        "signal": alert.signal,
        "model": found.model,
        "subject": alert.subject,
        "severity": signal.severity if signal else "warning",
        "retrain": "true" if signal and signal.retrain else "false",
        "owner": _owner(facts, signals),
        "workspace": str(stage["workspace"]),
        "environment": str(stage["environment"]),
    }
    summary = (
        signal.summary.format(model=found.model, subject=alert.subject)
        if signal
        else f"{alert.signal} is no longer watched"
    )
    threshold = "" if signal is None else f"{'above' if signal.above is not None else 'below'} {signal.threshold:g}"
    annotations = {
        "summary": summary,
        "description": alert.detail,
        "value": f"{alert.value:.4g}",
        "threshold": threshold,
        "since": alert.since,
        "version": str(champion.version if champion else ""),
        "model_digest": champion.model_digest if champion else "",
        "runbook_url": signal.runbook if signal else "",
    }
    return {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": alert.began,
        "endsAt": iso(found.time) if status == "resolved" else _NEVER,
        "generatorURL": facts.stage("monitoring").get("dashboard_uri", ""),
        "fingerprint": digest_json(labels)[:16],
    }


def _owner(facts: Platform, signals: Signals) -> str:
    return str(facts.stage("monitoring")["alert_route"]["owner"]) if signals.to == "owner" else signals.to


def _due(alert: Alert, now: datetime, repeat: timedelta) -> bool:
    return alert.told is None or now - datetime.fromisoformat(alert.told) >= repeat
