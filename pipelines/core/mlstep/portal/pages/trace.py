"""The chain behind one answer, verified while the page is made."""

from mlstep.errors import StrataError
from mlstep.evidence.chain import Trace, trace
from mlstep.platform import Platform
from mlstep.portal.render import page


def render(platform: Platform, request_id: str) -> tuple[str, int]:
    """The page and its HTTP status: 404 when there is no such answer."""
    try:
        found = trace(platform, request_id)
    except StrataError:
        title = f"Trace of {request_id}"
    facts = {"request_id": request_id, "found": found, "error": None, "gate_page": _gate_page(found)}
    return page("trace.html", platform, title, "/trace", **facts), 200


def _gate_page(found: Trace) -> str | None:
    """Where the gate's evidence can be read; None without a model."""
    facts = next((link.facts for link in found.links if link.link == "model"), {})
    return f"/models/{facts['model']}/v{facts['version']}/gate" if facts.get("model") else None
