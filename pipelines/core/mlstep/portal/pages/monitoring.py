"""The monitoring dashboard: signals, alerts and decisions of all models."""

from typing import Any

from markupsafe import Markup

from mlstep.alerts import journal
from mlstep.platform import Platform
from mlstep.portal.charts.lines import HALF, Limit, Line, Look, Point, line_chart
from mlstep.portal.pages import pictures
from mlstep.portal.reading import models, traffic
from mlstep.portal.render import page

_MOST_HEARD = 25


def render(platform: Platform) -> str:
    """The dashboard."""
    known = [models.read(platform, name) for name in models.names(platform)]
    return page(
        "monitoring.html",
        platform,
        "Monitoring",
        "/monitoring/",
        models=known,
        worst={model.name: _worst(model) for model in known},
        charts={model.name: _charts(platform, model) for model in known},
        alerts=models.open_alerts(platform.root),
        heard=journal.read(platform.root, journal.ALERTS)[::-1][:_MOST_HEARD],
        decisions=journal.read(platform.root, journal.RETRAINING)[::-1][:_MOST_HEARD],
        route=platform.stages.get("monitoring", {}).get("alert_route"),
        rule=next((model.measured["rule"] for model in known if model.measured is not None), None),
        has_stage=platform.has("monitoring"),
    )


def _worst(model: models.Model) -> list[dict[str, Any]]:
    """Signals that are on or red, the most windows first."""
    signals = (model.measured or {}).get("signals", [])
    return sorted(
        (entry for entry in signals if entry["firing"] or entry["red"]),
        key=lambda entry: (not entry["firing"], -entry["red_windows"]),
    )


def _charts(platform: Platform, model: models.Model) -> list[Markup]:
    """The largest drift of any feature, and the traffic."""
    found: list[Markup] = []
    drift = _largest_drift(model)
    if drift is not None:
        found.append(drift)
    answers = traffic.read(platform.root, model.name)
    if answers is not None:
        found.append(pictures.traffic(answers))
    return found


def _largest_drift(model: models.Model) -> Markup | None:
    """The feature that moved most in each window, by name."""
    by_end: dict[Any, dict[str, Any]] = {}
    for series in models.readings(model, "feature_drift").values():
        for end, reading in series:
            if end not in by_end or reading["value"] > by_end[end]["value"]:
                by_end[end] = reading
    if not by_end:
        return None
    points = [
        Point(end, reading["value"], bool(reading["red"]), str(reading["subject"]))
        for end, reading in sorted(by_end.items())
    ]
    limit = models.threshold(model, "feature_drift")
    return line_chart(
        "Largest drift of any feature",
        [Line("PSI", points)],
        None if limit is None else Limit(limit, "alert"),
        Look(HALF, "PSI"),
    )
