"""Watch what follows a drift: windows, alert, mail, retraining, gate; tell each once, as it happens."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

from mlstep import history
from mlstep.alerts import journal
from mlstep.canonical import iso, read_json
from mlstep.monitoring.state import windows_path
from mlstep.platform import Platform

_POLL_SECONDS = 0.5
Tell = Callable[[str, str, dict[str, Any]], None]


class Watch:
    """What happened to one model since a moment.

    Args:
        since: earlier windows, alerts and decisions are not told.
        tell: called with event, text for people, facts for programs.
    """

    def __init__(self, facts: Platform, model: str, champion: history.Entry, since: datetime, tell: Tell) -> None:
        self._facts, self._root, self._model, self._champion = facts, facts.root, model, champion
        self._since, self._tell = iso(since), tell
        self._told: set[str] = set()
        self._run: tuple[str, str] | None = None
        self._refused = False

    def until_done(self, seconds: float) -> int:
        """Watch until retraining has ended or was refused; exit code 1 if nothing of that came in time."""
        interval = self._facts.stage("monitoring")["interval_seconds"]
        self._tell(
            "watching",
            f"the monitors look every {interval} s; Ctrl-C stops watching, nothing else",
            {},
        )
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._windows()
            self._alerts()
            self._mails()
            self._decisions()
            if self._ended():
                return 0
            time.sleep(_POLL_SECONDS)
        self._tell("timeout", f"not finished within {seconds:g} s; what is missing shows `strata status`", {})
        return 1

    def _once(self, key: str, event: str, text: str, facts: dict[str, Any]) -> None:
        if key not in self._told:
            self._told.add(key)
            self._tell(event, text, facts)

    def _windows(self) -> None:
        file = windows_path(self._root, self._model)
        if not file.is_file():
            return
        for window in _lines(file):
            if window["closed"] >= self._since:
                self._once(
                    f"window {window['stream']} {window['last_request_id']}",
                    "window",
                    _window(window),
                    {"window": window},
                )

    def _alerts(self) -> None:
        for alert in self._recent(journal.ALERTS, "received"):
            if alert["labels"].get("model") == self._model:
                notes = alert["annotations"]
                about = f"{notes.get('summary')}; {notes.get('description')}; owner {alert['labels'].get('owner')}"
                text = f"{alert['status']}: {about}"
                self._once(
                    f"alert {alert['fingerprint']} {alert['startsAt']} {alert['status']}",
                    "alert",
                    text,
                    {"alert": alert},
                )

    def _mails(self) -> None:
        for file in sorted((journal.folder(self._root) / "outbox").glob("*.eml")):
            if datetime.fromtimestamp(file.stat().st_mtime).astimezone() >= datetime.fromisoformat(self._since):
                mail = message_from_bytes(file.read_bytes())
                self._once(
                    f"mail {file.name}",
                    "mail",
                    f"to {mail['To']}: {' '.join(str(mail['Subject']).split())}",
                    {"file": str(file)},
                )

    def _decisions(self) -> None:
        for decision in self._recent(journal.RETRAINING, "time"):
            if decision["model"] != self._model:
                continue
            if decision["decision"] == "started":
                self._run, self._refused = (decision["pipeline"], decision["run"]), False
                text = f"run {decision['run']} of pipeline {decision['pipeline']} started: {decision['reason']}"
            else:
                self._refused = self._run is None and decision["decision"] == "refused"
                text = f"{decision['decision']}: {'; '.join(decision['reasons'])}"
            self._once(f"retraining {decision['time']}", "retraining", text, {"decision": decision})

    def _ended(self) -> bool:
        if self._run is None:
            return self._ended_without_run()
        folder = self._root / "runs" / self._run[0] / self._run[1]
        if not (folder / "run.json").is_file():
            return False
        record = read_json(folder / "run.json")
        for name, step in record.get("steps", {}).items():
            if step.get("state") not in {None, "pending", "waiting"}:
                self._once(
                    f"step {name} {step.get('state')}",
                    "step",
                    f"{name}: {step.get('state')}",
                    {"step": name, "state": step.get("state")},
                )
        if record["state"] in {"running", "pending", "queued"}:
            return False
        self._gate(folder, record)
        return True

    def _ended_without_run(self) -> bool:
        old = self._alert_of_before()
        if old is not None:
            text = f"the alert has been on since {old['since']} and is not told again; then: {self._earlier()}"
            self._tell("end", text, {"alert": old})
        elif self._refused:
            again = "retraining is asked for again when the guards allow it, or by hand"
            self._tell("end", f"the alert stays on; {again}: strata run {self._model}", {})
        return old is not None or self._refused

    def _alert_of_before(self) -> dict[str, Any] | None:
        """An alert on drift that was on before, once the monitors have seen a window of this demonstration."""
        file = self._root / "metrics" / f"{self._model}.json"
        if not file.is_file() or not any(key.startswith("window predictions") for key in self._told):
            return None
        alerts = read_json(file)["alerts"]
        old = (alert for alert in alerts if alert["signal"] == "feature_drift" and alert["began"] < self._since)
        return next(old, None)

    def _earlier(self) -> str:
        decisions = [entry for entry in journal.read(self._root, journal.RETRAINING) if entry["model"] == self._model]
        if not decisions:
            return "no retraining was asked for"
        last = decisions[-1]
        return f"run {last['run']} started" if last["run"] else f"{last['decision']}: {'; '.join(last['reasons'])}"

    def _gate(self, folder: Path, record: dict[str, Any]) -> None:
        result, candidate = folder / "gate" / "result.json", folder / "register" / "candidate" / "candidate.json"
        if not result.is_file() or not candidate.is_file():
            self._tell(
                "end",
                f"run {record['run']} ended {record['state']}: {'; '.join(record.get('reasons') or [])}",
                {"state": record["state"]},
            )
            return
        verdict, made = read_json(result), read_json(candidate)
        reasons = "; ".join(verdict["reasons"][:3])
        self._tell(
            "gate",
            f"{verdict['decision']}: {reasons}" if reasons else verdict["decision"],
            {"decision": verdict["decision"], "reasons": verdict["reasons"]},
        )
        facts = {
            "model": self._model,
            "version": made["version"],
            "model_digest": made["digest"],
            "champion": self._champion.version,
        }
        if verdict["decision"] == "fail":
            self._tell(
                "end",
                f"candidate v{made['version']} may not be signed; the champion v{self._champion.version} stays",
                facts,
            )
            return
        role = next((signer["role"] for signer in self._facts.signers()), "risk")
        command = f"strata sign {self._model} v{made['version']} --as {role}"
        self._tell(
            "end",
            f"v{made['version']} waits for a signature, v{self._champion.version} still answers. Next: {command}",
            {**facts, "next": command},
        )

    def _recent(self, name: str, column: str) -> list[dict[str, Any]]:
        return [entry for entry in journal.read(self._root, name) if entry[column] >= self._since]


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _window(window: dict[str, Any]) -> str:
    red = [reading for reading in window["readings"] if reading["red"]]
    head = f"{window['rows']:,} {window['stream']} until {window['ends'][11:19]}Z"
    if not red:
        return f"{head}: all within thresholds"
    return f"{head}: " + ", ".join(
        f"{reading['signal']} {reading['subject']} {reading['value']:.2f}".replace("  ", " ") for reading in red
    )
