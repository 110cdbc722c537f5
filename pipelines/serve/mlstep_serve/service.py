"""Answer requests: every request gets a decision, and no decision leaves before its record is kept."""

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlstep.canonical import iso
from mlstep.ids import new_id
from mlstep_serve.champions import Champion, Champions
from mlstep_serve.metrics import Metrics
from mlstep_serve.rows import NO_CHAMPION, Fallback, Row, check, fallback_of, implausible

_log = logging.getLogger(__name__)
MOST_ROWS = 10_000
MOST_BYTES = 10 << 20


class NotKept(Exception):
    """The record of an answer could not be written, so the answer must not leave."""


class TooManyRows(Exception):
    """A request has more rows than one request may."""


@dataclass(frozen=True)
class Request:
    """What was asked, as far as it could be understood.

    Attributes:
        rows: the rows' content, whatever it is; one of None stands for a body that is none.
        many: whether the caller sent {"rows": […]} and expects a list.
        reason: why nothing of it could be understood.
    """

    rows: Sequence[Any]
    many: bool
    reason: str | None = None


@dataclass(frozen=True)
class Outcome:
    """The answer to one row before it has a name."""

    score: float | None
    decision: str
    reason: str | None


class Service:
    """The champion's answers.

    Args:
        champions: who answers.
        keep: writes records, or raises OSError.
        clock: the time.
    """

    def __init__(
        self,
        champions: Champions,
        keep: Callable[[list[dict[str, Any]]], None],
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._champions, self._keep, self._clock, self._metrics = champions, keep, clock, metrics

    def answer(self, model: str, body: bytes) -> dict[str, Any]:
        """The answer to a request's body.

        Raises:
            TooManyRows: more than 10,000 rows.
            NotKept: the prediction log cannot be written.
        """
        started, moment = time.perf_counter(), self._clock()
        request = parse(body)
        champion = self._champions.get(model)
        checked, outcomes = self._judge(champion, request)
        latency = round((time.perf_counter() - started) * 1000, 3)
        records = self._records(model, champion, moment, latency, request, checked, outcomes)
        try:
            self._keep(records)
        except OSError as error:
            self._metrics.log_failures.inc()
            _log.error("%s: an answer was withheld, its record cannot be written: %s", model, error)
            raise NotKept(f"the prediction log cannot be written: {error.strerror}") from error
        self._metrics.answered(records, time.perf_counter() - started)
        return _response(records, request.many)

    def _judge(self, champion: Champion | None, request: Request) -> tuple[list[Row], list[Outcome]]:
        if champion is None:
            reason = request.reason or "no champion yet"
            return [Row({}) for _ in request.rows], [_fall_back(NO_CHAMPION, reason) for _ in request.rows]
        description = champion.loaded.description
        fallback = fallback_of(description)
        if request.reason is not None:
            return [Row({}) for _ in request.rows], [_fall_back(fallback, request.reason) for _ in request.rows]
        checked = [check(description, row) for row in request.rows]
        good = [row for row in checked if row.reason is None]
        scored = iter(self._score(champion, good))
        outcomes = [next(scored) if row.reason is None else _fall_back(fallback, row.reason) for row in checked]
        return checked, outcomes

    def _score(self, champion: Champion, rows: list[Row]) -> list[Outcome]:
        if not rows:
            return []
        description = champion.loaded.description
        fallback = fallback_of(description)
        try:
            scores = [float(score) for score in champion.loaded.predict_scores([row.values for row in rows])]
            if len(scores) != len(rows):
                raise ValueError(f"{len(scores)} scores for {len(rows)} rows")
        except Exception as error:  # noqa: BLE001
            # Whatever the model's code raises, the caller gets the fallback; the defect is logged and counted.
            _log.exception("%s v%d failed", champion.model, champion.version)
            return [_fall_back(fallback, f"the model failed ({type(error).__name__})") for _ in rows]
        problems = [implausible(description, score) for score in scores]
        return [
            _fall_back(fallback, problem) if problem else Outcome(score, description.decide(score), None)
            for score, problem in zip(scores, problems, strict=True)
        ]

    def _records(
        self,
        model: str,
        champion: Champion | None,
        moment: datetime,
        latency: float,
        request: Request,
        checked: list[Row],
        outcomes: list[Outcome],
    ) -> list[dict[str, Any]]:
        name, when = new_id(moment), iso(moment)
        common: dict[str, Any] = {
            "time": when,
            "model": model,
            "version": champion.version if champion else None,
            "model_digest": champion.digest if champion else None,
            "role": "champion",
            "latency_ms": latency,
            "schema": champion.loaded.description.contract.get("sha256") if champion else None,
            "source": "api",
        }
        return [
            {
                **common,
                "request_id": f"{name}-{number}" if request.many else name,
                "score": outcome.score,
                "decision": outcome.decision,
                "fallback": outcome.reason is not None,
                "fallback_reason": outcome.reason,
                "features": row.values,
                "invalid": row.invalid,
                "unknown_keys": row.unknown_keys,
            }
            for number, (row, outcome) in enumerate(zip(checked, outcomes, strict=True))
        ]


def parse(body: bytes) -> Request:
    """Understand a body as one row or {"rows": […]}.

    Raises:
        TooManyRows: more than 10,000 rows.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return Request([None], False, "the body is not JSON")
    if not isinstance(content, dict):
        return Request([None], False, 'the body is no map: send one row, or {"rows": […]}')
    if set(content) != {"rows"}:
        return Request([content], False)
    rows = content["rows"]
    if not isinstance(rows, list) or not rows:
        return Request([None], False, "rows is no list of rows")
    if len(rows) > MOST_ROWS:
        raise TooManyRows(f"{len(rows)} rows, at most {MOST_ROWS} in one request")
    return Request(rows, True)


def _fall_back(fallback: Fallback, reason: str) -> Outcome:
    return Outcome(fallback.score, fallback.decision, reason)


_ANSWERED = ("request_id", "score", "decision", "fallback", "fallback_reason", "model", "version", "model_digest")


def _response(records: list[dict[str, Any]], many: bool) -> dict[str, Any]:
    answers = [{key: record[key] for key in _ANSWERED} for record in records]
    return {"predictions": answers} if many else answers[0]
