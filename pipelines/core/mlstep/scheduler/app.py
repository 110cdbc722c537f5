"""The scheduler's HTTP interface, on the loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware.trustedhost import TrustedHostMiddleware

from mlstep.canonical import iso
from mlstep.errors import ConfigError, UnavailableError
from mlstep.platform import Platform
from mlstep.runner.records import list_runs
from mlstep.scheduler.access import MAY_START, identify
from mlstep.scheduler.service import Service


class Submission(BaseModel):
    """A run that somebody asks for."""

    model_config = ConfigDict(extra="forbid")

    pipeline: str
    parameters: dict[str, str] = Field(default_factory=dict)
    author: str | None = None
    reason: str = ""


class Resumption(BaseModel):
    """Who resumes a run."""

    model_config = ConfigDict(extra="forbid")

    author: str | None = None


def create_app(root: Path, platform: Platform, service: Service) -> FastAPI:
    """The application; it starts and stops the schedules with itself."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(service.start)
        yield
        await run_in_threadpool(service.stop)

    app = FastAPI(title="Strata scheduler", lifespan=lifespan, openapi_url=None)
    # A page in a browser on this machine must not reach this service by a name of its own.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "testserver"])

    @app.exception_handler(ConfigError)
    def wrong(_: Any, error: ConfigError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=422)

    @app.exception_handler(UnavailableError)
    def busy(_: Any, error: UnavailableError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=409)

    @app.get("/healthz")
    def health(response: Response) -> dict[str, Any]:
        healthy = service.is_healthy()
        response.status_code = 200 if healthy else 503
        tick = None if service.last_tick is None else iso(service.last_tick)
        return {
            "healthy": healthy,
            "last_tick": tick,
            "schedules": service.schedules(),
            "running": service.launcher.running(),
        }

    @app.post("/runs", status_code=202)
    def start(submission: Submission, authorization: Annotated[str | None, Header()] = None) -> dict[str, str]:
        user = _may_start(platform, authorization)
        author = submission.author or user
        return {"run": service.launcher.start(submission.pipeline, submission.parameters, author, submission.reason)}

    @app.post("/runs/{run}/resume", status_code=202)
    def resume(
        run: str, resumption: Resumption, authorization: Annotated[str | None, Header()] = None
    ) -> dict[str, str]:
        user = _may_start(platform, authorization)
        return {"run": service.launcher.resume(run, resumption.author or user)}

    @app.get("/runs")
    def runs(pipeline: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> dict[str, Any]:
        return {"runs": [_summary(record) for record in list_runs(root, pipeline, limit)]}

    @app.get("/runs/{run}")
    def run_by_name(run: str, events: Annotated[int, Query(ge=0, le=10_000)] = 100) -> dict[str, Any]:
        try:
            return service.launcher.describe(run, events)
        except ConfigError as error:
            raise HTTPException(404, str(error)) from None

    return app


def _may_start(platform: Platform, header: str | None) -> str:
    """The user behind a token that may start runs."""
    identity = identify(platform, header)
    if identity is None:
        raise HTTPException(401, "no identity: send `Authorization: Bearer <token>`", {"WWW-Authenticate": "Bearer"})
    if identity not in MAY_START:
        raise HTTPException(403, f"identity {identity} may not start runs; {' and '.join(MAY_START)} may")
    return platform.identity(identity)[0]


def _summary(record: dict[str, Any]) -> dict[str, Any]:
    keys = ("run", "pipeline", "state", "author", "reason", "model", "started", "ended", "reasons", "candidate")
    steps = {name: {"state": step["state"], "seconds": step.get("seconds")} for name, step in record["steps"].items()}
    return {**{key: record.get(key) for key in keys}, "steps": steps}
