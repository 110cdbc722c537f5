"""What monitoring shows: one JSON file per model for pages, one text file per model for Prometheus."""

from pathlib import Path
from typing import Any

from mlstep.canonical import iso, pretty, write_atomic
from mlstep.monitoring.evaluate import Round
from mlstep.monitoring.signals import Signals


def summary(found: Round, signals: Signals) -> dict[str, Any]:
    """The content of `<root>/metrics/<model>.json`."""
    champion = found.champion
    return {
        "model": found.model,
        "time": iso(found.time),
        "status": "alert" if found.state.alerts else "ok",
        "version": champion.version if champion else None,
        "model_digest": champion.model_digest if champion else None,
        "champion_since": champion.time if champion else None,
        "integrity": found.integrity,
        "rule": {"windows": signals.rule.windows, "violations": signals.rule.violations},
        "open_rows": found.open_rows,
        "window_rows": {stream: size.rows for stream, size in signals.windows.items()},
        "windows": found.state.windows,
        "signals": [_signal(found, signals, reading) for reading in latest(found)],
        "alerts": [
            {
                "signal": alert.signal,
                "subject": alert.subject,
                "value": alert.value,
                "detail": alert.detail,
                "since": alert.since,
                "began": alert.began,
            }
            for _, alert in sorted(found.state.alerts.items())
        ],
    }


def latest(found: Round) -> list[dict[str, Any]]:
    """The newest reading of every signal and subject."""
    windows = [window for _, kept in sorted(found.state.windows.items()) for window in kept[-1:]]
    return [reading for window in windows for reading in window["readings"]] + [
        reading.as_json() for reading in found.moment
    ]


def prometheus(found: Round, signals: Signals) -> str:
    """The newest readings in Prometheus' text format, under the metric names of `signals.yaml`."""
    lines: list[str] = []
    readings = latest(found)
    for name, signal in sorted(signals.signals.items()):
        own = [reading for reading in readings if reading["signal"] == name]
        if own:
            lines += [f"# HELP {signal.metric} {name}, threshold {signal.threshold:g}", f"# TYPE {signal.metric} gauge"]
            lines += [
                f'{signal.metric}{{model="{found.model}",subject="{_escape(one["subject"])}"}} {one["value"]!r}'
                for one in own
            ]
            red = _red(signal.metric)
            lines += [
                f"# HELP {red} red ones of the last {signals.rule.windows} windows, and whether the latest is red"
            ]
            lines += [f"# TYPE {red} gauge"]
            for one in own:
                reds = _reds(found, one)
                labels = f'model="{found.model}",subject="{_escape(one["subject"])}"'
                lines += [
                    f'{red}{{{labels},of="recent"}} {sum(reds)}',
                    f'{red}{{{labels},of="latest"}} {int(one["red"])}',
                ]
    return "".join(line + "\n" for line in lines)


def merge(texts: list[str]) -> str:
    """Several models' texts as one: Prometheus wants each metric's lines together, under one description."""
    by_metric: dict[str, list[str]] = {}
    for line in "\n".join(texts).splitlines():
        if line:
            metric = line.split(" ")[2] if line.startswith("#") else line.split("{")[0]
            lines = by_metric.setdefault(metric, [])
            if line not in lines:
                lines.append(line)
    return "".join(line + "\n" for lines in by_metric.values() for line in lines)


def write(root: Path, found: Round, signals: Signals) -> None:
    """Write both files of a model, atomically."""
    write_atomic(root / "metrics" / f"{found.model}.json", pretty(summary(found, signals)))
    write_atomic(root / "metrics" / f"{found.model}.prom", prometheus(found, signals))


def _red(metric: str) -> str:
    return f"{metric}_red_windows"


def _reds(found: Round, reading: dict[str, Any]) -> list[bool]:
    key = (reading["signal"], reading["subject"])
    windows = [window for kept in found.state.windows.values() for window in kept]
    reds = [one["red"] for window in windows for one in window["readings"] if (one["signal"], one["subject"]) == key]
    return reds or [reading["red"]]


def _signal(found: Round, signals: Signals, reading: dict[str, Any]) -> dict[str, Any]:
    signal = signals.signals[reading["signal"]]
    reds = _reds(found, reading)
    return {
        **reading,
        "per": signal.per,
        "threshold": signal.threshold,
        "side": "above" if signal.above is not None else "below",
        "red_windows": sum(reds),
        "windows": len(reds),
        "firing": f"{reading['signal']}/{reading['subject']}" in found.state.alerts,
    }


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
