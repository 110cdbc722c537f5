"""The challenger: scores in the shadow what the champion was asked, and answers nobody."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from mlstep import history, platform, predictions
from mlstep.errors import StrataError
from mlstep.model import Model
from mlstep_serve import candidates
from mlstep_serve.metrics import Metrics
from mlstep_serve.rows import check, fallback_of, implausible
from mlstep_serve.scorer import load_model
from mlstep_serve.tail import Tail

_log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
LOOK_SECONDS = 2.0
BACKLOG_ROWS = 2_000
BACKLOG = timedelta(days=1)
_BLOCK = 1_000


@dataclass
class Challenger:
    """A loaded candidate and what it has done."""

    candidate: candidates.Candidate
    loaded: Model
    counts: Counter[str] = field(default_factory=Counter)


class Shadow:
    """Scores the champion's requests with each model's newest candidate that passed its gate.

    When a candidate appears, the last 2,000 requests of the last day are scored first, so that whoever is to sign it
    can compare at once.
    """

    def __init__(
        self, root: Path, keep: Callable[[list[dict[str, Any]]], None], clock: Callable[[], datetime], metrics: Metrics
    ) -> None:
        self._root, self._keep, self._clock, self._metrics = root, keep, clock, metrics
        self._challengers: dict[str, Challenger] = {}
        self._alarms: dict[str, str] = {}
        self._tail = Tail(root, "champion")
        self._looked = -LOOK_SECONDS
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)

    def start(self) -> None:
        """Begin with the requests of now."""
        self._tail.skip()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()
        self._tail.close()

    def state(self) -> list[dict[str, Any]]:
        """One entry per model that has a champion or a challenger."""
        return [self._describe(model) for model in sorted({*history.models(self._root), *self._challengers})]

    def tick(self) -> None:
        """One round: look for candidates now and then, score what is new."""
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            for model in history.models(self._root):
                self._look(model)
        records = self._tail.read()
        for model, challenger in list(self._challengers.items()):
            self._score(challenger, [record for record in records if record["model"] == model])

    def _look(self, model: str) -> None:
        try:
            champion = history.current(platform.load(self._root), model)
            candidate = candidates.newest(self._root, model)
            if candidate is None or champion is None or candidate.digest == champion.model_digest:
                self._challengers.pop(model, None)
            elif model not in self._challengers or self._challengers[model].candidate != candidate:
                self._begin(candidate)
            self._alarms.pop(model, None)
        except StrataError as error:
            if self._alarms.get(model) != str(error):
                _log.error("%s: no challenger: %s", model, error)
            self._alarms[model] = str(error)

    def _begin(self, candidate: candidates.Candidate) -> None:
        challenger = Challenger(candidate, load_model(candidates.verified_folder(self._root, candidate)))
        _log.info("%s candidate v%d (run %s) runs in the shadow", candidate.model, candidate.version, candidate.run)
        since = self._clock() - BACKLOG
        asked = (
            predictions.scan(self._root, candidate.model, since=since)
            .filter(pl.col("source") == "api")
            .tail(BACKLOG_ROWS)
        )
        done = predictions.scan(self._root, candidate.model, "challenger", since).filter(
            pl.col("model_digest") == candidate.digest
        )
        rows = asked.join(done.select("request_id"), on="request_id", how="anti")
        self._challengers[candidate.model] = challenger
        self._score(challenger, [predictions.as_record(row) for row in rows.iter_rows(named=True)])

    def _score(self, challenger: Challenger, asked: list[dict[str, Any]]) -> None:
        for start in range(0, len(asked), _BLOCK):
            block = [record for record in asked[start : start + _BLOCK] if record["features"]]
            if block:
                self._score_block(challenger, block)

    def _score_block(self, challenger: Challenger, asked: list[dict[str, Any]]) -> None:
        begun = time.perf_counter()
        description = challenger.loaded.description
        rows = [check(description, record["features"]) for record in asked]
        scores = iter(challenger.loaded.predict_scores([row.values for row in rows if row.reason is None] or [{}]))
        results: list[tuple[float | None, str, str | None]] = []
        for row in rows:
            score = float(next(scores)) if row.reason is None else float("nan")
            reason = row.reason or implausible(description, score)
            fallback = fallback_of(description)
            results.append(
                (fallback.score, fallback.decision, reason) if reason else (score, description.decide(score), None)
            )
        latency = round((time.perf_counter() - begun) * 1000 / len(asked), 3)
        self._keep(
            [self._record(challenger, record, result, latency) for record, result in zip(asked, results, strict=True)]
        )
        for record, (_, decision, reason) in zip(asked, results, strict=True):
            challenger.counts.update(
                scored=1, fallbacks=int(reason is not None), same_decision=int(decision == record["decision"])
            )
            self._metrics.shadow.labels(
                record["model"], str(challenger.candidate.version), "yes" if reason else "no"
            ).inc()

    def _record(
        self,
        challenger: Challenger,
        asked: dict[str, Any],
        result: tuple[float | None, str, str | None],
        latency: float,
    ) -> dict[str, Any]:
        score, decision, reason = result
        return {
            **asked,
            "version": challenger.candidate.version,
            "model_digest": challenger.candidate.digest,
            "role": "challenger",
            "score": score,
            "decision": decision,
            "fallback": reason is not None,
            "fallback_reason": reason,
            "latency_ms": latency,
            "schema": challenger.loaded.description.contract.get("sha256"),
            "source": "shadow",
        }

    def _describe(self, model: str) -> dict[str, Any]:
        challenger = self._challengers.get(model)
        counts = challenger.counts if challenger else Counter[str]()
        return {
            "model": model,
            "version": challenger.candidate.version if challenger else None,
            "model_digest": challenger.candidate.digest if challenger else None,
            "run": challenger.candidate.run if challenger else None,
            "scored": counts["scored"],
            "fallbacks": counts["fallbacks"],
            "same_decision": counts["same_decision"],
            "alarm": self._alarms.get(model),
        }

    def _run(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            try:
                self.tick()
            except Exception:  # noqa: BLE001
                # The shadow must not end with one request or one candidate that cannot be scored.
                _log.exception("shadow: this round failed")
