"""Cron expressions as people write them, and whether a fire was missed."""

import re
from datetime import UTC, datetime
from typing import Any

from mlstep.errors import ConfigError

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def make_trigger(expression: str) -> Any:
    """An APScheduler trigger for a five-field cron expression, in UTC.

    APScheduler counts weekdays from Monday, cron from Sunday, so numbers become names here.

    Raises:
        ConfigError: not a cron expression.
    """
    from apscheduler.triggers.cron import CronTrigger

    fields = expression.split()
    if len(fields) != 5:
        raise ConfigError(
            f"schedule {expression!r}: {len(fields)} fields",
            "write minute hour day month weekday, such as `0 6 * * 1-5`",
        )
    try:
        return CronTrigger.from_crontab(" ".join([*fields[:4], _weekdays(fields[4])]), timezone=UTC)
    except (ValueError, IndexError) as error:
        raise ConfigError(
            f"schedule {expression!r}: {error}", "write minute hour day month weekday, such as `0 6 * * 1-5`"
        ) from None


def next_fire(trigger: Any, after: datetime) -> datetime | None:
    """The first fire strictly after a moment."""
    found: datetime | None = trigger.get_next_fire_time(after, after)
    return found


def _weekdays(field: str) -> str:
    """`1-5` as `mon,tue,wed,thu,fri`: spelled out, since cron's ranges may end on Sunday as 7 or begin on it as 0."""
    parts = []
    for part in field.split(","):
        match = re.fullmatch(r"([0-7])(?:-([0-7]))?(?:/(\d+))?", part)
        if match is None:
            parts.append(part)  # A star, a step of a star, or names, which both read alike.
            continue
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if last < first or step < 1:
            raise ValueError(f"weekday {part} is no range")
        parts += [_DAYS[day] for day in range(first, last + 1, step)]
    return ",".join(dict.fromkeys(parts))
