"""What monitoring remembers about a model between rounds: cursors, recent windows, alerts."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mlstep.canonical import dumps, iso, pretty, read_json, write_atomic
from mlstep.monitoring.windows import Cursor

STATE_VERSION = 1


@dataclass
class Alert:
    """An alert that is on.

    Attributes:
        since: begin of the first red window, or of the state, ISO 8601.
        began: when it was first raised; names this occurrence.
        told: when the receiver was last told.
    """

    signal: str
    subject: str
    value: float
    detail: str
    since: str
    began: str
    told: str | None = None

    @property
    def key(self) -> str:
        """Signal and subject."""
        return f"{self.signal}/{self.subject}"


@dataclass
class ModelState:
    """One model's state; windows and alerts are about one champion's bytes."""

    model_digest: str | None = None
    cursors: dict[str, Cursor] = field(default_factory=dict)
    windows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    waiting: list[dict[str, Any]] = field(default_factory=list)


def state_path(root: Path, model: str) -> Path:
    """Where a model's state is."""
    return root / "metrics" / f"{model}.state.json"


def windows_path(root: Path, model: str) -> Path:
    """Where a model's closed windows are, one JSON line each."""
    return root / "metrics" / f"{model}.windows.jsonl"


def load(root: Path, model: str) -> ModelState:
    """Read a model's state; none is the state of a model that was never looked at."""
    path = state_path(root, model)
    if not path.is_file():
        return ModelState()
    content = read_json(path)
    return ModelState(
        content["model_digest"],
        {
            stream: Cursor(datetime.fromisoformat(cursor["time"]), cursor["request_id"])
            for stream, cursor in content["cursors"].items()
        },
        content["windows"],
        {key: Alert(**alert) for key, alert in content["alerts"].items()},
        content["waiting"],
    )


def save(root: Path, model: str, state: ModelState) -> None:
    """Write a model's state, atomically."""
    content = {
        "state_version": STATE_VERSION,
        "model_digest": state.model_digest,
        "cursors": {
            stream: {"time": iso(cursor.time), "request_id": cursor.request_id}
            for stream, cursor in state.cursors.items()
        },
        "windows": state.windows,
        "alerts": {key: asdict(alert) for key, alert in state.alerts.items()},
        "waiting": state.waiting,
    }
    write_atomic(state_path(root, model), pretty(content), 0o640)


def keep_windows(root: Path, model: str, windows: list[dict[str, Any]], most: int) -> None:
    """Add closed windows to the history; one that is there already (after a crash) is not added again."""
    if not windows:
        return
    path = windows_path(root, model)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    known = {_name(json.loads(line)) for line in lines[-2 * len(windows) :]}
    lines += [dumps(window) for window in windows if _name(window) not in known]
    write_atomic(path, "".join(line + "\n" for line in lines[-most:]), 0o640)


def _name(window: dict[str, Any]) -> tuple[str, str, str]:
    return window["stream"], window["model_digest"], window["last_request_id"]
