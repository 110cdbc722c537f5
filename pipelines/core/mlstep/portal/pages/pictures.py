"""Pictures of a model: performance, calibration, importance, drift, fairness, traffic."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from mlstep.history import Entry
from mlstep.portal.charts.calibration import Bin, calibration_chart
from mlstep.portal.charts.columns import Column, column_chart
from mlstep.portal.charts.lines import HALF, MOST_LINES, SMALL, Limit, Line, Look, Marker, Point, line_chart
from mlstep.portal.charts.ranges import Axis, Row, bar_chart, interval_chart
from mlstep.portal.reading.models import Model, readings, threshold
from mlstep.portal.reading.traffic import Traffic

_MOST_FEATURES = 15
_FOLLOWED_FEATURES = 5


def performance(report: dict[str, Any], note: str) -> Markup:
    """AUC of this version, of the champion before it on the same rows, on training rows, and of a linear model."""
    auc, champion, fit = report["auc"], report.get("champion"), report["fit"]
    rows = [Row("this version, test rows", auc["value"], auc["low"], auc["high"], report["rows"])]
    if champion is not None and champion.get("comparable"):
        rows.append(Row("champion then, same rows", champion["auc"], None, None, report["rows"]))
    rows += [Row("this version, training rows", fit["train_auc"]), Row("linear model, folds", fit["linear_model_auc"])]
    return interval_chart(
        "AUC with its 95 percent interval", rows, Axis("AUC (0.5 is chance)", include=(0.5,), left=180), note
    )


def difference(report: dict[str, Any], note: str) -> Markup | None:
    """The paired difference to the champion of that time."""
    delta = report.get("paired_auc_delta")
    if delta is None:
        return None
    row = Row("AUC, new less old", delta["value"], delta["low"], delta["high"], report["rows"])
    return interval_chart(
        "Against the champion before, row by row",
        [row],
        Axis("difference in AUC", limit=0.0, limit_label="no difference", left=150),
        note,
    )


def calibration(report: dict[str, Any], note: str) -> Markup:
    """Mean score against observed share, bin by bin."""
    bins = [
        Bin(entry["score"], entry["observed"], entry.get("low"), entry.get("high"), int(entry["rows"]))
        for entry in report["calibration"]
    ]
    return calibration_chart("Calibration: is a score of 0.1 one in ten?", bins, note)


def importance(report: dict[str, Any], note: str) -> Markup:
    """Loss of AUC when one feature is shuffled."""
    features = report["features"][:_MOST_FEATURES]
    rows = [
        Row(
            entry["feature"],
            entry["auc_loss"],
            entry["auc_loss"] - entry["standard_deviation"],
            entry["auc_loss"] + entry["standard_deviation"],
        )
        for entry in features
    ]
    return bar_chart(
        "Importance: loss of AUC when a feature is shuffled",
        rows,
        Axis("loss of AUC (line: one standard deviation)"),
        note,
    )


def importance_over_time(versions: Sequence[tuple[Entry, dict[str, Any]]]) -> Markup | None:
    """How the leading features' share of the model changed from champion to champion."""
    if len(versions) < 2:
        return None
    names = [entry["feature"] for entry in versions[-1][1]["features"][:_FOLLOWED_FEATURES]]
    lines = []
    for name in names:
        points = []
        for entry, report in versions:
            share = next((item["share"] for item in report["features"] if item["feature"] == name), None)
            if share is not None:
                points.append(Point(datetime.fromisoformat(entry.time), share, detail=f"v{entry.version}"))
        lines.append(Line(name, points))
    return line_chart("Importance over time: share of the model's ranking", lines, None, Look(HALF, percent=True))


def over_windows(model: Model, signal: str, title: str, y_label: str) -> Markup | None:
    """One signal about the model as a whole, window by window."""
    found = readings(model, signal).get("", [])
    if not found:
        return None
    limit = threshold(model, signal)
    points = [_point(end, reading) for end, reading in found]
    look = Look(HALF, y_label, note=_window_note(model, signal), markers=_changes(model))
    return line_chart(title, [Line(title, points)], None if limit is None else Limit(limit, "alert"), look)


def drift(model: Model) -> list[Markup]:
    """A small picture a feature, the one that moved most first; all with the same limit."""
    limit = threshold(model, "feature_drift")
    found = sorted(readings(model, "feature_drift").items(), key=lambda item: (-item[1][-1][1]["value"], item[0]))
    look = Look(SMALL, markers=())
    return [
        line_chart(
            name,
            [Line(name, [_point(end, reading) for end, reading in series])],
            None if limit is None else Limit(limit, "alert"),
            look,
        )
        for name, series in found
    ]


def fairness(report: dict[str, Any], note: str) -> list[Markup]:
    """A picture a group column: each group's rate of favourable decisions over the best group's."""
    charts = []
    for name, column in report["columns"].items():
        rows = [_group(entry, column["reference"], report["smallest_ratio"]) for entry in column["groups"]]
        limit = report["smallest_ratio"]
        axis = Axis(
            "rate over the best group's", limit=limit, limit_label=f"lower bound must reach {limit:g}", include=(1.0,)
        )
        charts.append(
            interval_chart(
                f"{name}: favourable decisions, compared with {column['reference'] or 'nobody'}", rows, axis, note
            )
        )
    return charts


def fairness_over_windows(model: Model) -> list[Markup]:
    """The same ratio in production, on answers whose outcome is known: a picture a group column."""
    by_column: dict[str, list[Line]] = {}
    for subject, series in sorted(readings(model, "fairness").items()):
        column, _, group = subject.partition("=")
        by_column.setdefault(column, []).append(
            Line(group or subject, [_point(end, reading) for end, reading in series])
        )
    limit = threshold(model, "fairness")
    line = None if limit is None else Limit(limit, "alert below")
    return [_groups(column, lines, line) for column, lines in by_column.items()]


def _groups(column: str, lines: list[Line], limit: Limit | None) -> Markup:
    """The groups that fare worst, as many as can be told apart by colour."""
    worst = sorted(lines, key=lambda line: line.points[-1].value)[:MOST_LINES]
    note = f"the {MOST_LINES} lowest of {len(lines)} groups" if len(lines) > MOST_LINES else ""
    return line_chart(f"{column} in production", worst, limit, Look(HALF, "ratio", from_zero=False, note=note))


def traffic(found: Traffic) -> Markup:
    """Answers over time, fallbacks in red."""
    columns = [Column(slot.time, slot.answers, slot.fallbacks) for slot in found.slots]
    return column_chart(
        "Answers",
        columns,
        ("answers", "fallbacks"),
        f"{found.answers:,} answers in the last 30 days, one column: {found.span}",
    )


def latency(found: Traffic) -> Markup:
    """Time to answer, the middle one and the slowest of a hundred."""
    middle = Line("half are faster (p50)", [Point(slot.time, slot.p50) for slot in found.slots])
    slow = Line("99 of 100 are faster (p99)", [Point(slot.time, slot.p99) for slot in found.slots])
    return line_chart(
        "Time to answer",
        [middle, slow],
        None,
        Look(HALF, "milliseconds", note="measured in the service, without the network"),
    )


def _point(end: datetime, reading: dict[str, Any]) -> Point:
    return Point(end, reading["value"], bool(reading["red"]), reading["detail"])


def _changes(model: Model) -> list[Marker]:
    return [Marker(datetime.fromisoformat(entry.time), f"v{entry.version}") for entry in model.entries]


def _window_note(model: Model, signal: str) -> str:
    stream = next(
        (window["stream"] for window in model.windows for reading in window["readings"] if reading["signal"] == signal),
        "predictions",
    )
    size = (model.measured or {}).get("window_rows", {}).get(stream)
    return f"windows of {size:,} {stream}; dotted: change of champion" if size else ""


def _group(entry: dict[str, Any], reference: str | None, smallest: float) -> Row:
    ratio = entry.get("approval_rate_ratio")
    if entry["group"] == reference:
        return Row(entry["group"], 1.0, None, None, entry["rows"], "reference")
    if ratio is None:
        return Row(entry["group"], None, None, None, entry["rows"], "undecided")
    verdict = "pass" if ratio["low"] >= smallest else "fail"
    return Row(entry["group"], ratio["value"], ratio["low"], ratio["high"], entry["rows"], verdict)
