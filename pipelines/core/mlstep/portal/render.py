"""Templates to HTML: escaping always on, the style sheet inside the page and named by its digest."""

import base64
import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mlstep.canonical import now
from mlstep.platform import Platform
from mlstep.portal.charts.svg import NOTHING, number

TEMPLATES = Path(__file__).parent / "templates"
_GOOD = {
    "pass",
    "passed",
    "ok",
    "healthy",
    "champion",
    "verified",
    "kept",
    "succeeded",
    "done",
    "intact",
    "applied",
    "intime",
    "reached",
    "in line",
}
_WARN = {
    "warn",
    "alert",
    "waiting",
    "excepted",
    "late",
    "undetermined",
    "undecided",
    "awaiting signature",
    "rollback",
    "configured",
    "not decidable",
}
_BAD = {
    "fail",
    "failed",
    "broken",
    "down",
    "crashed",
    "error",
    "firing",
    "missed",
    "stopped",
    "out of line",
    "timed out",
}
_MARKS = {"good": "✓", "warn": "!", "bad": "✗", "": "·"}


@cache
def stylesheet() -> str:
    """The one style sheet."""
    return (TEMPLATES / "strata.css").read_text(encoding="utf-8")


@cache
def security_headers() -> dict[str, str]:
    """Nothing may load or run but this very style sheet; nobody may frame the page."""
    digest = base64.b64encode(hashlib.sha256(stylesheet().encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; "
    policy += "base-uri 'none'; frame-ancestors 'none'"
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def page(template: str, platform: Platform, title: str, section: str, **content: Any) -> str:
    """One page as HTML."""
    foundation = platform.stage("foundation")
    frame = {
        "title": title,
        "section": section,
        "stack": f"{foundation['workspace']}-{foundation['environment']}",
        "root": str(platform.root),
        "css": Markup(stylesheet()),  # noqa: S704 - ours, not a visitor's
        "now": now(),
        "crumbs": [],
        "fill": _commands(platform),
    }
    return _environment().get_template(template).render({**frame, **content})


def _commands(platform: Platform) -> dict[str, str]:
    """Commands that fill a page which has no data yet, as they are typed for this very platform."""
    foundation, root = platform.stage("foundation"), platform.root
    stack = f"{foundation['workspace']}-{foundation['environment']}"
    pipelines = platform.stages.get("pipelines", {}).get("pipelines", [])
    default = platform.stages.get("registry", {}).get("default_model") or "PIPELINE"
    return {
        "run": f"strata run {pipelines[0]['name'] if pipelines else default} --stack {stack}",
        "up": f"strata up {stack}",
        "drift": f"strata drift demo --stack {stack}",
        "status": f"strata status {stack}",
        "policy": f"strata policy check --stack {stack}",
        "truth": f"mlstep truth --root {root} outcomes.csv",
        "features": f"mlstep features materialize --root {root}",
    }


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "moment": moment,
        "ago": ago,
        "number": number,
        "kind": kind,
        "mark": _MARKS.__getitem__,
        "seconds": seconds,
        "percent": percent,
    }
    return environment


def moment(value: datetime | str | None) -> Markup:
    """A time in UTC, for people and for machines."""
    if value is None:
        return Markup("{}").format(NOTHING)
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(), f"{when:%Y-%m-%d %H:%M} UTC")


def ago(value: datetime | str | None) -> str:
    """How long ago, in the largest unit that fits."""
    if value is None:
        return "never"
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{seconds((now() - when).total_seconds())} ago"


def seconds(value: float | None) -> str:
    """A span of time in one unit."""
    if value is None:
        return NOTHING
    value = max(value, 0.0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if value >= 2 * size:
            return f"{value / size:.0f} {unit}"
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"


def percent(value: float | None) -> str:
    """A share."""
    return NOTHING if value is None else f"{value:.1%}"


def kind(word: str) -> str:
    """Whether a state is good, bad, in between or none of these."""
    text = str(word).lower()
    return "good" if text in _GOOD else "bad" if text in _BAD else "warn" if text in _WARN else ""
