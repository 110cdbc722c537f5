"""What the prediction service tells Prometheus."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.0005, 0.001, 0.002, 0.004, 0.006, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


class Metrics:
    """One process's metrics; names begin with `strata_`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "strata_predictions", "Answers given.", ["model", "version", "fallback"], registry=self.registry
        )
        self._unknown = Counter(
            "strata_unknown_keys", "Keys in requests that are no features; dropped.", ["model"], registry=self.registry
        )
        self._latency = Histogram(
            "strata_prediction_seconds",
            "Time from body to kept record.",
            ["model"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._history = Gauge(
            "strata_history_valid",
            "1 if the champion's history and bytes verify, 0 if they are refused.",
            ["model"],
            registry=self.registry,
        )
        self._loads = Counter("strata_champion_loads", "Champions loaded.", ["model"], registry=self.registry)
        self.log_failures = Counter(
            "strata_prediction_log_failures",
            "Answers withheld because their record could not be kept.",
            registry=self.registry,
        )
        self.shadow = Counter(
            "strata_shadow_scores",
            "Requests scored in the shadow.",
            ["model", "version", "fallback"],
            registry=self.registry,
        )

    def answered(self, records: list[dict[str, Any]], seconds: float) -> None:
        """Count one request's answers."""
        first = records[0]
        fallbacks = sum(record["fallback"] for record in records)
        for kind, count in (("yes", fallbacks), ("no", len(records) - fallbacks)):
            if count:
                self._answers.labels(first["model"], str(first["version"] or "none"), kind).inc(count)
        unknown = sum(record["unknown_keys"] for record in records)
        if unknown:
            self._unknown.labels(first["model"]).inc(unknown)
        self._latency.labels(first["model"]).observe(seconds)

    def champion_event(self, model: str, event: str) -> None:
        """Note what happened to a champion: `loaded`, `verified` or `refused`."""
        if event == "loaded":
            self._loads.labels(model).inc()
        else:
            self._history.labels(model).set(1 if event == "verified" else 0)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
