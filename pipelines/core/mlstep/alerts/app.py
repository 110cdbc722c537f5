"""The receiver over HTTP: alerts, truth, retraining."""

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response

from mlstep import platform, truths
from mlstep.alerts import intake, mail, retraining
from mlstep.canonical import digest_json, dumps
from mlstep.errors import ConfigError, StrataError

_log = logging.getLogger(__name__)
_MOST_BYTES = 10 << 20
_ASK_SECONDS = 60.0
ALERTS_BY = ("serve", "pipeline")
"""`serve` is the least identity that the monitors have; Alertmanager is given the same."""
RETRAIN_BY = ("pipeline",)
"""A run is what `pipeline` may start; nobody else's token starts one here."""


class _Refused(Exception):
    def __init__(self, status: int, what: str, remedy: str) -> None:
        super().__init__(what)
        self.status, self.what, self.remedy = status, what, remedy


def build(root: Path, clock: Callable[[], datetime], submit: retraining.Submit) -> FastAPI:
    """The receiver's application."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_ask_again(root, clock, submit))
        yield
        task.cancel()

    app = FastAPI(title="Strata receiver", version="1", lifespan=life)

    async def handle(
        request: Request, allowed: tuple[str, ...], work: Callable[[Any, str], dict[str, Any]]
    ) -> Response:
        try:
            caller = _caller(root, request.headers.get("authorization", ""), allowed)
            content = await _content(request)
            return _json(await asyncio.to_thread(work, content, caller), 202)
        except _Refused as refused:
            return _json({"error": refused.what, "remedy": refused.remedy}, refused.status)
        except StrataError as error:
            status = 422 if isinstance(error, ConfigError) else 503
            return _json({"error": error.what, "remedy": error.remedy}, status)

    @app.get("/healthz", summary="Whether the process lives")
    def healthz() -> Response:
        return _json({"status": "ok", "frozen": retraining.frozen(root)})

    @app.post(
        "/alerts", summary="Alerts in Alertmanager's shape (webhook version 4); bearer token of serve or pipeline"
    )
    async def alerts(request: Request) -> Response:
        return await handle(request, ALERTS_BY, lambda content, _: take_alerts(root, content, clock(), submit))

    @app.post(
        "/truth",
        summary="Outcomes: {request_id, outcome, observed_at[, groups]} or {records: […]}; token of serve or pipeline",
    )
    async def truth(request: Request) -> Response:
        return await handle(request, ALERTS_BY, lambda content, _: {"accepted": truths.take(root, _records(content))})

    @app.post(
        "/retrain", summary="Ask for retraining by hand: {model, reason}; bearer token of pipeline; the same guards"
    )
    async def retrain(request: Request) -> Response:
        return await handle(
            request, RETRAIN_BY, lambda content, caller: ask_by_hand(root, content, caller, clock(), submit)
        )

    return app


def take_alerts(root: Path, content: Any, now: datetime, submit: retraining.Submit) -> dict[str, Any]:
    """Keep a post, mail what is news, ask for retraining where an alert wants it.

    Raises:
        ConfigError: not a post of Alertmanager's version 4.
    """
    alerts = intake.check(content)
    fresh = intake.news(root, alerts, now)
    mails = []
    if fresh:
        letter = mail.compose(fresh, now, str(content.get("externalURL", "")))
        mails.append(mail.put(root, letter, digest_json(content.get("groupKey", ""))[:16], now).name)
        # Last: a crash before it tells the same news again, none is lost.
        intake.remember(root, fresh, now)
    decisions = []
    wanting = [alert for alert in fresh if alert["status"] == "firing" and alert["labels"].get("retrain") == "true"]
    for model in sorted({alert["labels"].get("model", "") for alert in wanting}):
        own = [alert for alert in wanting if alert["labels"].get("model") == model]
        reason = "; ".join(alert["annotations"].get("summary", alert["labels"].get("alertname", "")) for alert in own)
        decisions.append(retraining.ask(root, retraining.Request(model, reason, False, "alert"), submit, now))
    return {"received": len(alerts), "news": len(fresh), "mails": mails, "retraining": decisions}


def ask_by_hand(root: Path, content: Any, caller: str, now: datetime, submit: retraining.Submit) -> dict[str, Any]:
    """Ask for retraining of one model.

    Raises:
        ConfigError: no model or no reason given.
    """
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key), str) and content[key] for key in ("model", "reason")
    ):
        raise ConfigError(
            "retraining needs a model and a reason", 'post {"model": "credit", "reason": "new product since May"}'
        )
    return retraining.ask(root, retraining.Request(content["model"], content["reason"], True, caller), submit, now)


def _records(content: Any) -> list[Any]:
    if isinstance(content, dict) and set(content) == {"records"} and isinstance(content["records"], list):
        return list(content["records"])
    return [content]


def _caller(root: Path, header: str, allowed: tuple[str, ...]) -> str:
    facts = platform.load(root)
    kind, _, token = header.partition(" ")
    for name in allowed:
        if kind.lower() == "bearer" and hmac.compare_digest(token.encode(), facts.identity(name)[1].encode()):
            return name
    raise _Refused(401, "no valid token", f"send Authorization: Bearer with the token of {' or '.join(allowed)}")


async def _content(request: Request) -> Any:
    blocks, size = [], 0
    async for block in request.stream():
        size += len(block)
        if size > _MOST_BYTES:
            raise _Refused(413, f"the body is larger than {_MOST_BYTES >> 20} MiB", "send several posts")
        blocks.append(block)
    try:
        return json.loads(b"".join(blocks))
    except (ValueError, RecursionError):
        raise _Refused(400, "the body is not JSON", "see /docs") from None


async def _ask_again(root: Path, clock: Callable[[], datetime], submit: retraining.Submit) -> None:
    while True:
        await asyncio.sleep(_ASK_SECONDS)
        try:
            await asyncio.to_thread(retraining.ask_again, root, submit, clock())
        except Exception:  # noqa: BLE001
            # The alert is still on: the next round asks again.
            _log.exception("retraining: could not ask again")


def _json(content: Any, status: int = 200) -> Response:
    return Response(dumps(content), status, media_type="application/json")
