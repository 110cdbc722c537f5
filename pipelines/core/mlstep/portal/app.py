"""Addresses to pages. Everything is read when it is asked for, and nothing is ever written."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from mlstep.errors import ConfigError, StrataError
from mlstep.platform import Platform, load
from mlstep.portal.pages import catalog, gate, model, monitoring, overview, policies, run, trace
from mlstep.portal.render import page, security_headers

_log = logging.getLogger(__name__)
# A name in an address is a name in the platform folder; one that starts with a dot or holds a slash is neither.
_UNKNOWN = "There is no such page."


def build(root: Path) -> Starlette:
    """The portal of one platform folder, for local names of this machine only."""
    routes = [
        Route("/healthz", _health),
        _html("/", lambda platform, _at: overview.render(platform)),
        _html("/monitoring/", lambda platform, _at: monitoring.render(platform)),
        _html("/catalog/", lambda platform, _at: catalog.render_list(platform)),
        _html("/catalog/{name}", lambda platform, at: catalog.render(platform, at["name"])),
        _html("/runs/", lambda platform, _at: run.render_list(platform)),
        _html("/runs/{pipeline}/{run}", lambda platform, at: run.render(platform, at["pipeline"], at["run"])),
        _html(
            "/runs/{pipeline}/{run}/{step}/log",
            lambda platform, at: run.render_log(platform, at["pipeline"], at["run"], at["step"]),
        ),
        _html("/policies/", lambda platform, _at: policies.render(platform)),
        _html("/models/{name}", lambda platform, at: model.render(platform, at["name"])),
        _html(
            "/models/{name}/v{version:int}/gate", lambda platform, at: gate.render(platform, at["name"], at["version"])
        ),
        Route("/trace", _to_trace),
        Route("/trace/{request_id}", _trace),
        Route("/api/status", _status),
        Route("/api/trace/{request_id}", _trace_json),
    ]
    # A page of another site may make a browser ask 127.0.0.1 under its own name: that name is refused.
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)
    app = Starlette(
        routes=routes,
        middleware=[hosts],
        exception_handlers={HTTPException: _problem, StrataError: _problem, Exception: _problem},
    )
    app.state.root = root
    return app


def _html(path: str, render: Callable[[Platform, dict[str, Any]], str | None]) -> Route:
    def endpoint(request: Request) -> Response:
        names = request.path_params
        if any(str(value).startswith(".") for value in names.values()):
            raise HTTPException(404, _UNKNOWN)
        content = render(load(request.app.state.root), names)
        if content is None:
            raise HTTPException(404, _UNKNOWN)
        return HTMLResponse(content, headers=security_headers())

    return Route(path, endpoint, methods=["GET"])


def _health(request: Request) -> Response:
    """Well when the platform's contracts can be read."""
    load(request.app.state.root)
    return JSONResponse({"status": "ok"})


def _to_trace(request: Request) -> Response:
    """The form of every page leads here."""
    wanted = request.query_params.get("id", "").strip()
    return RedirectResponse(f"/trace/{quote(wanted, safe='')}" if wanted else "/", 303)


def _trace(request: Request) -> Response:
    content, status = trace.render(load(request.app.state.root), request.path_params["request_id"])
    return HTMLResponse(content, status, headers=security_headers())


def _trace_json(request: Request) -> Response:
    from mlstep.evidence.chain import trace as follow

    return JSONResponse(
        follow(load(request.app.state.root), request.path_params["request_id"]).as_json(), headers=security_headers()
    )


def _status(request: Request) -> Response:
    from mlstep.evidence.overview import gather

    return JSONResponse(gather(load(request.app.state.root)), headers=security_headers())


def _problem(request: Request, error: Exception) -> Response:
    """A page, or JSON below /api, that says what is wrong; a traceback goes to the log, never to the page."""
    status, what, remedy = _words(error)
    if status >= 500 and not isinstance(error, StrataError):
        _log.error("%s", request.url.path, exc_info=error)
    if request.url.path.startswith("/api/") or request.url.path == "/healthz":
        return JSONResponse({"error": what, "remedy": remedy}, status)
    try:
        platform = load(request.app.state.root)
    except StrataError as unreadable:
        return PlainTextResponse(f"{unreadable.what}\n{unreadable.remedy}\n", 503)
    title = "Not found" if status == 404 else "This page cannot be shown"
    return HTMLResponse(
        page("problem.html", platform, title, "", status=status, what=what, remedy=remedy),
        status,
        headers=security_headers(),
    )


def _words(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail), ""
    if isinstance(error, ConfigError):
        return 503, error.what, error.remedy
    if isinstance(error, StrataError):
        return (404 if error.exit_code == 1 else 500), error.what, error.remedy
    return 500, "The portal has a defect; its log holds the details.", "see logs/portal.log"
