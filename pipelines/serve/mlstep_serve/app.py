"""The prediction service over HTTP."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect

from mlstep.canonical import dumps
from mlstep_serve.service import MOST_BYTES, MOST_ROWS, NotKept, Service, TooManyRows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mlstep_serve.parts import Parts

_SMALL_BODY = 64 << 10
_JSON = "application/json"
_ANSWER = {
    "request_id": "01JQ5S3YV3E2M1S8W5B4Z6T7XK",
    "score": 0.083,
    "decision": "approve",
    "fallback": False,
    "fallback_reason": None,
    "model": "credit",
    "version": 1,
    "model_digest": "51aa…",
}
_PREDICT: dict[str, Any] = {
    "summary": "Ask the champion",
    "description": 'One row as a map of features, or `{"rows": […]}`. Always answers: where a value is missing or '
    "out of range, or the body is no row at all, the answer is the model's defined fallback, with the reason. "
    f"At most {MOST_ROWS} rows and {MOST_BYTES >> 20} MiB.",
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {_JSON: {"schema": {"type": "object"}, "example": {"rows": [{"income": 42000}]}}},
        }
    },
    "responses": {
        200: {"description": "An answer for each row", "content": {_JSON: {"example": _ANSWER}}},
        404: {"description": "No such model"},
        413: {"description": "Too many rows or bytes"},
        503: {"description": "The answer's record could not be kept, so the answer is withheld"},
    },
}


def build(parts: "Parts") -> FastAPI:
    """The application of one role."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> "AsyncIterator[None]":
        await anyio.to_thread.run_sync(parts.start)
        yield
        await anyio.to_thread.run_sync(parts.stop)

    app = FastAPI(title=f"Strata predictions ({parts.role})", version="1", lifespan=life)
    _add_state(app, parts)
    if parts.service is None:
        _add_refusal(app)
    else:
        _add_predict(app, parts, parts.service)
    return app


def _add_state(app: FastAPI, parts: "Parts") -> None:
    @app.get("/ready", summary="Whether requests get answered, and by whom")
    def ready() -> Response:
        return _json(parts.state())

    @app.get("/healthz", summary="Whether the process lives")
    def healthz() -> Response:
        return _json({"status": "ok"})

    @app.get("/models", summary="Models, versions, digests, alarms")
    def models() -> Response:
        return _json({"models": parts.models()})

    @app.get("/metrics", summary="Prometheus metrics")
    def metrics() -> Response:
        return Response(parts.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_predict(app: FastAPI, parts: "Parts", service: Service) -> None:
    async def answer(model: str, request: Request) -> Response:
        known = parts.known()
        if model not in known:
            return _problem(404, f"model {model[:80]} is not known", f"known models: {', '.join(known)}")
        try:
            body = await _read(request)
            if body is None:
                return _problem(
                    413, f"the body is larger than {MOST_BYTES >> 20} MiB", "send fewer rows, or use `mlstep score`"
                )
            # A small request is done before a thread would have begun; a large one must not hold up the others.
            if len(body) <= _SMALL_BODY:
                return _json(service.answer(model, body))
            return _json(await anyio.to_thread.run_sync(service.answer, model, body))
        except TooManyRows as error:
            return _problem(413, str(error), "send fewer rows, or use `mlstep score`")
        except NotKept as error:
            return _problem(503, str(error), "free the disk; the same request may be sent again")
        except ClientDisconnect:
            return _problem(400, "the body ended early", "send it again")

    @app.post("/predict", **_PREDICT)
    async def predict(request: Request) -> Response:
        return await answer(parts.default_model, request)

    @app.post("/models/{model}/predict", **_PREDICT)
    async def predict_model(model: str, request: Request) -> Response:
        return await answer(model, request)


def _add_refusal(app: FastAPI) -> None:
    @app.post("/predict", summary="Refused: the challenger never answers callers")
    @app.post("/models/{model}/predict", summary="Refused: the challenger never answers callers")
    async def refuse() -> Response:
        return _problem(403, "the challenger never answers callers", "ask the prediction service")


async def _read(request: Request) -> bytes | None:
    blocks: list[bytes] = []
    size = 0
    async for block in request.stream():
        size += len(block)
        if size > MOST_BYTES:
            return None
        blocks.append(block)
    return b"".join(blocks)


def _json(content: Any, status: int = 200) -> Response:
    return Response(dumps(content), status, media_type=_JSON)


def _problem(status: int, what: str, remedy: str) -> Response:
    return _json({"error": what, "remedy": remedy}, status)
