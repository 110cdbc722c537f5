"""Schedules and their heartbeat: APScheduler fires, the launcher starts, the last fire is kept on disk."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from mlstep.canonical import iso, now
from mlstep.errors import StrataError, UnavailableError
from mlstep.platform import Platform
from mlstep.runner.records import mark_vanished
from mlstep.scheduler.cron import make_trigger, next_fire
from mlstep.scheduler.fires import Fire, is_missed, write_fire
from mlstep.scheduler.launcher import Launcher

HEARTBEAT_SECONDS = 10
STALE_SECONDS = 60
AUTHOR = "scheduler"
_LOG = logging.getLogger("mlstep.scheduler")


class Service:
    """The schedules of one platform."""

    def __init__(self, root: Path, platform: Platform) -> None:
        self.launcher = Launcher(root, platform)
        self.last_tick: datetime | None = None
        self._root = root
        # Every expression is read before anything starts, so that a wrong one is told at once.
        self._schedules = {
            entry["name"]: (entry["schedule"], make_trigger(entry["schedule"]))
            for entry in platform.stage("pipelines")["pipelines"]
            if entry.get("schedule")
        }
        self._scheduler: Any = None

    def start(self) -> None:
        """Mark runs that vanished, make up for missed fires, begin to fire."""
        from datetime import UTC

        from apscheduler.schedulers.background import BackgroundScheduler

        for run in mark_vanished(self._root):
            _LOG.warning("run %s: its process vanished; marked crashed, it can be resumed", run)
        # However late, but once: a machine that slept over three fires runs the pipeline one time.
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._scheduler.add_job(self.tick, "interval", seconds=HEARTBEAT_SECONDS)
        for name, (expression, trigger) in self._schedules.items():
            self._scheduler.add_job(self.fire, trigger, args=[name, "schedule"], id=name)
            if is_missed(self._root, name, expression, trigger, now()):
                self.fire(name, "missed fire, made up for once")
        self.tick()
        self._scheduler.start()

    def stop(self) -> None:
        """Fire no more, and end the runs."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        self.launcher.stop_all()

    def tick(self) -> None:
        """Heartbeat: what /healthz looks at."""
        self.launcher.reap()
        self.last_tick = now()

    def fire(self, pipeline: str, reason: str) -> Fire:
        """Start a scheduled run and remember how that went; a busy pipeline is left alone until its next fire."""
        expression, _ = self._schedules[pipeline]
        try:
            run = self.launcher.start(pipeline, {}, AUTHOR, f"{reason} ({expression})")
            fire = Fire(pipeline, expression, iso(now()), "started", run)
        except UnavailableError as error:
            fire = Fire(pipeline, expression, iso(now()), "busy", reason=error.what)
        except StrataError as error:
            fire = Fire(pipeline, expression, iso(now()), "refused", reason=str(error))
        _LOG.info("%s: %s %s %s", pipeline, fire.outcome, fire.run or "", fire.reason)
        write_fire(self._root, fire)
        return fire

    def is_healthy(self) -> bool:
        """Whether the heart has beaten within the last minute."""
        return self.last_tick is not None and (now() - self.last_tick).total_seconds() < STALE_SECONDS

    def schedules(self) -> list[dict[str, Any]]:
        """Each schedule and its next fire."""
        moments = {name: next_fire(trigger, now()) for name, (_, trigger) in self._schedules.items()}
        return [
            {
                "pipeline": name,
                "schedule": self._schedules[name][0],
                "next_fire": None if moment is None else iso(moment),
            }
            for name, moment in moments.items()
        ]
