"""One round of monitoring for one model: close windows, measure them, begin and end alerts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlstep import history, predictions, store, truths
from mlstep.canonical import iso
from mlstep.errors import IntegrityError
from mlstep.monitoring import measure, rule, windows
from mlstep.monitoring.signals import STREAMS, Signals
from mlstep.monitoring.state import Alert, ModelState
from mlstep.platform import Platform

if TYPE_CHECKING:
    import polars as pl

# A record gets its time when the request comes in and is written when it is answered: younger ones may be overtaken.
SETTLE = timedelta(seconds=2)
_TIMES = {"predictions": "time", "outcomes": "first_received"}
_DAY = 86_400.0
_HOUR = 3_600.0


@dataclass
class Round:
    """What one round found out about a model.

    Attributes:
        closed: windows that closed in this round.
        open_rows: rows that wait for their window to fill, per stream.
        moment: signals of the moment as readings.
        ended: alerts that ended in this round.
        latest: time of the last row of each stream that has one.
    """

    model: str
    time: datetime
    champion: history.Entry | None
    integrity: str | None
    state: ModelState
    closed: list[dict[str, Any]]
    open_rows: dict[str, int]
    moment: list[measure.Reading]
    ended: list[Alert]
    latest: dict[str, datetime]


def evaluate(facts: Platform, model: str, signals: Signals, state: ModelState, now: datetime) -> Round:
    """Bring a model's state up to date; `state` is changed, nothing is written or sent."""
    champion, integrity = _champion(facts, model)
    found = Round(model, now, champion, integrity, state, [], dict.fromkeys(STREAMS, 0), [], [], {})
    if champion is not None and champion.model_digest != state.model_digest:
        _begin(state, champion, found)
    if champion is not None:
        _close_windows(facts.root, champion, signals, found)
    found.moment = _moment(signals, found)
    _alert(signals, found)
    return found


def _champion(facts: Platform, model: str) -> tuple[history.Entry | None, str | None]:
    """The champion, and what of it does not verify."""
    try:
        champion = history.current(facts, model)
        if champion is not None:
            store.verify(facts.root, champion.model_digest)
        return champion, None
    except IntegrityError as error:
        return None, str(error)


def _begin(state: ModelState, champion: history.Entry, found: Round) -> None:
    """Another champion answers: what was measured about the one before says nothing about it."""
    streams = {"integrity", "model_age"}
    found.ended += [alert for alert in state.alerts.values() if alert.signal not in streams]
    state.alerts = {key: alert for key, alert in state.alerts.items() if alert.signal in streams}
    state.model_digest = champion.model_digest
    state.windows = {}


def _close_windows(root: Path, champion: history.Entry, signals: Signals, found: Round) -> None:
    baseline = measure.load_baseline(store.folder(root, champion.model_digest))
    for stream in STREAMS:
        rows = _rows(root, champion, stream, found.state.cursors.get(stream), found.time)
        cuts = windows.cut(rows, _TIMES[stream], signals.windows[stream], found.time)
        last = rows.get_column(_TIMES[stream]).max() if rows.height else None
        if isinstance(last, datetime):
            found.latest[stream] = last
        elif stream in found.state.cursors:
            found.latest[stream] = found.state.cursors[stream].time
        found.open_rows[stream] = rows.height - sum(cut.rows.height for cut in cuts)
        kept = found.state.windows.setdefault(stream, [])
        for cut in cuts:
            readings = (measure.predictions if stream == "predictions" else measure.outcomes)(
                cut.rows, baseline, signals.of(stream)
            )
            window = _window(champion, stream, cut, readings, found.time)
            kept.append(window)
            found.closed.append(window)
            found.state.cursors[stream] = cut.ends
            _follow(signals, found, stream, window)
        del kept[: -signals.rule.windows]


def _rows(
    root: Path, champion: history.Entry, stream: str, cursor: windows.Cursor | None, now: datetime
) -> "pl.DataFrame":
    import polars as pl

    column = _TIMES[stream]
    if stream == "predictions":
        since = cursor.time if cursor else datetime.fromisoformat(champion.time) - timedelta(seconds=1)
        rows = predictions.scan(root, champion.model, since=since)
    else:
        rows = truths.truth_joined(root, champion.model, cursor.time if cursor else None)
    own = rows.filter((pl.col("model_digest") == champion.model_digest) & (pl.col(column) <= now - SETTLE))
    return windows.after(own, column, cursor)


def _window(
    champion: history.Entry, stream: str, cut: windows.Cut, readings: list[measure.Reading], now: datetime
) -> dict[str, Any]:
    return {
        "stream": stream,
        "model": champion.model,
        "version": champion.version,
        "model_digest": champion.model_digest,
        "begins": iso(cut.begins),
        "ends": iso(cut.ends.time),
        "last_request_id": cut.ends.request_id,
        "rows": cut.rows.height,
        "closed": iso(now),
        "readings": [reading.as_json() for reading in readings],
    }


def _follow(signals: Signals, found: Round, stream: str, window: dict[str, Any]) -> None:
    """Begin and end the alerts of a stream after each window, so that several windows in one round count one by one."""
    recent = found.state.windows[stream]
    alerts = found.state.alerts
    for reading in window["readings"]:
        key = f"{reading['signal']}/{reading['subject']}"
        reds = [_is_red(one, reading["signal"], reading["subject"]) for one in recent]
        if rule.firing(reds, signals.rule, key in alerts):
            since = recent[rule.since(reds, signals.rule)]["begins"]
            before = alerts.get(key)
            alerts[key] = Alert(
                reading["signal"],
                reading["subject"],
                reading["value"],
                reading["detail"],
                since,
                before.began if before else iso(found.time),
                before.told if before else None,
            )
        elif key in alerts:
            found.ended.append(alerts.pop(key))


def _is_red(window: dict[str, Any], signal: str, subject: str) -> bool:
    return any(
        reading["red"] for reading in window["readings"] if (reading["signal"], reading["subject"]) == (signal, subject)
    )


def _moment(signals: Signals, found: Round) -> list[measure.Reading]:
    sizes: dict[str, tuple[float, str]] = {
        "integrity": (float(found.integrity is not None), found.integrity or "history and bytes verify")
    }
    champion = found.champion
    if champion is not None:
        became = datetime.fromisoformat(champion.time)
        age = (found.time - became).total_seconds()
        sizes["model_age"] = (age / _DAY, f"champion since {champion.time}")
        traffic = found.latest.get("predictions", became)
        sizes["no_traffic"] = ((found.time - traffic).total_seconds() / _HOUR, f"last answer {iso(traffic)}")
        truth = found.latest.get("outcomes", became)
        sizes["truth_age"] = ((found.time - truth).total_seconds() / _DAY, f"last truth {iso(truth)}")
    return [
        measure.Reading(signal.id, "", sizes[signal.id][0], signal.red(sizes[signal.id][0]), sizes[signal.id][1])
        for signal in signals.of("moment")
        if signal.id in sizes
    ]


def _alert(signals: Signals, found: Round) -> None:
    alerts = found.state.alerts
    for reading in found.moment:
        key = f"{reading.signal}/"
        if reading.red:
            before = alerts.get(key)
            stamp = iso(found.time)
            alerts[key] = Alert(
                reading.signal,
                "",
                reading.value,
                reading.detail,
                before.since if before else stamp,
                before.began if before else stamp,
                before.told if before else None,
            )
        elif key in alerts:
            found.ended.append(alerts.pop(key))
    for key in [key for key, alert in alerts.items() if alert.signal not in signals.signals]:
        found.ended.append(alerts.pop(key))
