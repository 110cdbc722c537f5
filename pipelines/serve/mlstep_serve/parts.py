"""The parts of one service process, built once and handed to the application."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mlstep import platform
from mlstep.canonical import now
from mlstep_serve.champions import Champions
from mlstep_serve.compact import Compactor
from mlstep_serve.metrics import Metrics
from mlstep_serve.scorer import load_model
from mlstep_serve.service import Service
from mlstep_serve.shadow import Shadow
from mlstep_serve.wal import Wal

Role = Literal["champion", "challenger"]
DEFAULT_RETENTION_DAYS = 183


@dataclass
class Parts:
    """Champions, log and metrics of one role; `service` only for the champion, `shadow` only for the challenger."""

    root: Path
    role: Role
    default_model: str
    champions: Champions
    compactor: Compactor
    metrics: Metrics
    service: Service | None = None
    shadow: Shadow | None = None

    def start(self) -> None:
        """Load the champions and begin the background threads."""
        self.compactor.start()
        if self.shadow is not None:
            self.shadow.start()  # The challenger answers nobody, so it has no use for a champion in memory.
        else:
            self.champions.start()

    def stop(self) -> None:
        """End the threads; the log is flushed and compacted."""
        if self.shadow is not None:
            self.shadow.stop()
        else:
            self.champions.stop()
        self.compactor.stop()

    def known(self) -> list[str]:
        """Models that may be asked for."""
        return sorted({self.default_model, *self.champions.names()})

    def models(self) -> list[dict[str, Any]]:
        """One entry per model: who answers, since when, and what is wrong."""
        if self.shadow is not None:
            return self.shadow.state()
        alarms = self.champions.alarms()
        return [_describe(self.champions, name, alarms.get(name), name == self.default_model) for name in self.known()]

    def state(self) -> dict[str, Any]:
        """What `/ready` says."""
        if self.shadow is not None:
            return {"status": "ready", "role": self.role, "models": self.shadow.state()}
        champion = self.champions.get(self.default_model)
        message = (
            f"{champion.model} v{champion.version} answers"
            if champion
            else "no champion yet: every request gets the defined fallback"
        )
        return {
            "status": "ready",
            "role": self.role,
            "champion": champion is not None,
            "message": message,
            "alarms": self.champions.alarms(),
            "models": self.models(),
        }


def build(root: Path, role: Role, fsync_seconds: float) -> Parts:
    """Put the parts of a role together.

    Raises:
        ConfigError: no platform there, or another process writes this role's log.
    """
    facts = platform.load(root)
    metrics = Metrics()
    wal = Wal(root, role, now(), fsync_seconds)
    champions = Champions(root, load_model, metrics.champion_event)
    compactor = Compactor(root, role, wal, _retention_days(facts), fsync_seconds)
    parts = Parts(root, role, str(facts.stage("registry")["default_model"]), champions, compactor, metrics)
    if role == "champion":
        parts.service = Service(champions, wal.append, now, metrics)
    else:
        parts.shadow = Shadow(root, wal.append, now, metrics)
    return parts


def _retention_days(facts: platform.Platform) -> int:
    for stage in ("monitoring", "governance"):
        if facts.has(stage) and "log_retention_days" in facts.stage(stage):
            return int(facts.stage(stage)["log_retention_days"])
    return DEFAULT_RETENTION_DAYS


def _describe(champions: Champions, name: str, alarm: str | None, default: bool) -> dict[str, Any]:
    champion = champions.get(name)
    return {
        "model": name,
        "default": default,
        "version": champion.version if champion else None,
        "model_digest": champion.digest if champion else None,
        "champion_since": champion.since if champion else None,
        "threshold": champion.loaded.description.threshold if champion else None,
        "features": [feature.name for feature in champion.loaded.description.features] if champion else [],
        "alarm": alarm,
    }
