"""The chain behind one answer, verified while the page is made."""

from mlstep.errors import StrataError
from mlstep.evidence.chain import Trace, trace
from mlstep.platform import Platform
from mlstep.portal.render import page


def render(platform: Platform, request_id: str) -> tuple[str, int]:
    """The page and its HTTP status: 404 when there is no such answer."""
    title, found, problem = f"Trace of {request_id}", None, None
    try:
        found = trace(platform, request_id)
    except StrataError as error:
        problem = error
    facts = {"request_id": request_id, "found": found, "error": problem, "gate_page": _gate_page(found)}
    return page("trace.html", platform, title, "/trace", **facts), 404 if found is None else 200


def _gate_page(found: Trace | None) -> str | None:
    """Where the gate's evidence can be read; None without a model."""
    links = [] if found is None else found.links
    facts = next((link.facts for link in links if link.link == "model"), {})
    return f"/models/{facts['model']}/v{facts['version']}/gate" if facts.get("model") else None
