"""Mails to the owner, as files: on one machine nobody may send, and every mail client opens them."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from mlstep.alerts import journal
from mlstep.canonical import digest_json, write_atomic


def compose(alerts: list[dict[str, Any]], now: datetime, page: str) -> EmailMessage:
    """One mail about the alerts of a post: what, how large, since when, what to do.

    Args:
        alerts: at least one.
        page: where a person can look at it.
    """
    labels = alerts[0]["labels"]
    firing = [alert for alert in alerts if alert["status"] == "firing"]
    state = "ALERT" if firing else "resolved"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = (
        f"strata-{_safe(labels.get('workspace', 'platform'))}-{_safe(labels.get('environment', 'local'))}@localhost"
    )
    mail["To"] = _safe(labels.get("owner", "owner"))
    mail["Date"] = now
    mail["Subject"] = f"[{state}] {_safe(labels.get('model', '?'))}: {_subject(firing or alerts)}"
    mail["Message-ID"] = (
        f"<{digest_json([[a['fingerprint'], a['startsAt'], a['status']] for a in alerts])[:32]}@strata.localhost>"
    )
    if any(alert["labels"].get("severity") == "critical" for alert in firing):
        mail["Importance"] = "high"
    parts = [_paragraph(alert) for alert in alerts]
    mail.set_content("\n\n".join([*parts, f"Look at it: {page}" if page else ""]).strip() + "\n")
    return mail


def put(root: Path, mail: EmailMessage, fingerprint: str, now: datetime) -> Path:
    """Put a mail into the outbox, `<root>/alerts/outbox/<time>-<fingerprint>.eml`."""
    path = journal.folder(root) / "outbox" / f"{now.strftime('%Y%m%dT%H%M%S%f')[:-3]}Z-{_file_name(fingerprint)}.eml"
    write_atomic(path, mail.as_bytes(), 0o640)
    return path


def _subject(alerts: list[dict[str, Any]]) -> str:
    first = alerts[0]["annotations"].get("summary", alerts[0]["labels"].get("alertname", "alert"))
    more = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    return _safe(first) + more


def _paragraph(alert: dict[str, Any]) -> str:
    notes, labels = alert["annotations"], alert["labels"]
    ended = "resolved: " if alert["status"] == "resolved" else ""
    lines = [
        f"{ended}{notes.get('summary', labels.get('alertname', 'alert'))}",
        f"  model     {labels.get('model', '?')} v{notes.get('version', '?')}",
        f"  feature   {labels['subject']}" if labels.get("subject") else "",
        f"  size      {notes.get('value', '?')} (threshold: {notes.get('threshold', '?')})",
        f"  detail    {notes['description']}" if notes.get("description") else "",
        f"  since     {notes.get('since', alert['startsAt'])}",
        f"  ended     {alert.get('endsAt')}" if alert["status"] == "resolved" else "",
        f"  severity  {labels.get('severity', '?')}",
        f"  owner     {labels.get('owner', '?')}",
        f"  runbook   {notes.get('runbook_url', '?')}",
    ]
    return "\n".join(line for line in lines if line)


def _safe(text: str) -> str:
    # A line feed in a label must not begin another header.
    return " ".join(str(text).split())[:200]


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text)[:64]
