"""The data catalogue: every data set, and one of them in full."""

from typing import Any

from markupsafe import Markup

from mlstep.platform import Platform
from mlstep.portal.charts.lines import HALF, Limit, Line, Look, Point, line_chart
from mlstep.portal.reading import data
from mlstep.portal.render import page


def render_list(platform: Platform) -> str:
    """All data sets of the record."""
    return page("catalog.html", platform, "Data", "/catalog/", data_sets=data.read_all(platform))


def render(platform: Platform, name: str) -> str | None:
    """One data set; None if the record names none like it."""
    found = next((item for item in data.read_all(platform) if item.name == name), None)
    if found is None:
        return None
    features = _features(platform, name)
    return page(
        "dataset.html",
        platform,
        name,
        "/catalog/",
        item=found,
        charts=_charts(found),
        features=features,
        crumbs=[("/catalog/", "Data")],
    )


def _charts(item: data.DataSet) -> list[Markup]:
    """Rows, share of checks that held, and age of the newest row, delivery by delivery."""
    past = item.ingests[::-1]
    rows = [Point(ingest.time, float(ingest.rows or 0)) for ingest in past]
    held = [
        Point(ingest.time, _held(ingest.validate), _held(ingest.validate) < 1) for ingest in past if ingest.validate
    ]
    ages = [
        Point(ingest.time, ingest.age_hours, not ingest.in_time(item.freshness_hours))
        for ingest in past
        if ingest.age_hours is not None and item.freshness_hours
    ]
    charts = []
    if rows:
        charts.append(line_chart("Rows by delivery", [Line("rows", rows)], None, Look(HALF, "rows")))
    if held:
        charts.append(line_chart("Checks that held", [Line("share", held)], None, Look(HALF, percent=True)))
    if ages and item.freshness_hours:
        charts.append(
            line_chart(
                "Age of the newest row when taken",
                [Line("hours", ages)],
                Limit(item.freshness_hours, "promised"),
                Look(HALF, "hours"),
            )
        )
    return charts


def _held(report: dict[str, Any]) -> float:
    checks = report["checks"]
    return sum(bool(check["passed"]) for check in checks) / len(checks) if checks else 1.0


def _features(platform: Platform, name: str) -> dict[str, Any] | None:
    """What the feature store offers of a data set."""
    from mlstep.canonical import read_json

    marker = platform.root / "features" / "applied.json"
    views = read_json(marker)["views"] if marker.is_file() else []
    online = platform.root / "features" / "materialized.json"
    written = read_json(online) if online.is_file() else {}
    view = next((entry for entry in views if entry["data_set"] == name), None)
    return None if view is None else {**view, "online": written.get(view["view"])}
