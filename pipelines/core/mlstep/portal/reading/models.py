"""A model as pages show it: champion and history, what monitoring says, what followed its alerts."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mlstep import history, store
from mlstep.alerts import intake, journal
from mlstep.canonical import now, read_json
from mlstep.errors import IntegrityError
from mlstep.history import Entry
from mlstep.monitoring.state import windows_path
from mlstep.platform import Platform

STALE = timedelta(minutes=30)


@dataclass(frozen=True)
class Model:
    """What is known of a model.

    Attributes:
        entries: its champions, oldest first; empty before the first promotion or when `integrity` says why.
        card: `model.json` of the champion.
        measured: the monitors' last round, `metrics/<model>.json`.
        windows: closed windows, oldest first.
        alerts: what the receiver heard, newest first.
        retraining: decisions about retraining, newest first.
    """

    name: str
    entries: list[Entry]
    integrity: str | None
    card: dict[str, Any] | None
    measured: dict[str, Any] | None
    windows: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    retraining: list[dict[str, Any]]

    @property
    def champion(self) -> Entry | None:
        """The entry that answers now."""
        return self.entries[-1] if self.entries else None

    @property
    def firing(self) -> list[dict[str, Any]]:
        """Alerts that are on: the last word about each fingerprint."""
        last = {entry["fingerprint"]: entry for entry in reversed(self.alerts)}
        return [entry for entry in last.values() if entry["status"] == "firing"]

    @property
    def health(self) -> str:
        """One word: broken, no champion, alert, not watched, or ok."""
        if self.integrity is not None:
            return "broken"
        if self.champion is None:
            return "no champion"
        if self.firing:
            return "alert"
        return "ok" if self.measured is not None else "not watched"

    @property
    def is_stale(self) -> bool:
        """Whether the monitors have not looked for long."""
        return self.measured is not None and now() - datetime.fromisoformat(self.measured["time"]) > STALE


def names(platform: Platform) -> list[str]:
    """Every model that was trained for, promoted or watched here."""
    root = platform.root
    found = set(history.models(root)) | {
        path.stem for path in (root / "metrics").glob("*.json") if "." not in path.stem
    }
    default = platform.stage("registry").get("default_model") if platform.has("registry") else None
    return sorted(found | ({default} if default else set()))


def read(platform: Platform, name: str) -> Model:
    """Everything about one model."""
    root = platform.root
    entries, integrity = _history(platform, name)
    champion = entries[-1] if entries else None
    metrics = root / "metrics" / f"{name}.json"
    heard = [entry for entry in journal.read(root, journal.ALERTS) if entry["labels"].get("model") == name]
    decided = [entry for entry in journal.read(root, journal.RETRAINING) if entry["model"] == name]
    return Model(
        name=name,
        entries=entries,
        integrity=integrity,
        card=_card(root, champion),
        measured=read_json(metrics) if metrics.is_file() else None,
        windows=_windows(root, name),
        alerts=heard[::-1],
        retraining=decided[::-1],
    )


def open_alerts(root: Path) -> list[dict[str, Any]]:
    """Alerts of all models that are on, the oldest first."""
    return sorted(intake.firing(root), key=lambda entry: str(entry["startsAt"]))


def readings(model: Model, signal: str) -> dict[str, list[tuple[datetime, dict[str, Any]]]]:
    """A signal's readings over all closed windows, by subject: (end of window, reading)."""
    found: dict[str, list[tuple[datetime, dict[str, Any]]]] = {}
    for window in model.windows:
        for reading in window["readings"]:
            if reading["signal"] == signal:
                found.setdefault(reading["subject"], []).append((datetime.fromisoformat(window["ends"]), reading))
    return found


def threshold(model: Model, signal: str) -> float | None:
    """From where on a signal is red."""
    signals = [] if model.measured is None else model.measured["signals"]
    return next((float(entry["threshold"]) for entry in signals if entry["signal"] == signal), None)


def _history(platform: Platform, name: str) -> tuple[list[Entry], str | None]:
    try:
        entries = history.read(platform, name)
        if entries:
            store.verify(platform.root, entries[-1].model_digest)
    except IntegrityError as error:
        return [], error.what
    return entries, None


def _card(root: Path, champion: Entry | None) -> dict[str, Any] | None:
    if champion is None:
        return None
    content: dict[str, Any] = read_json(store.folder(root, champion.model_digest) / "model.json")
    return content


def _windows(root: Path, name: str) -> list[dict[str, Any]]:
    path = windows_path(root, name)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
