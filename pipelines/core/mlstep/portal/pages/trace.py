"""The chain behind one answer, verified while the page is made."""

from mlstep.errors import StrataError
from mlstep.evidence.chain import trace
from mlstep.platform import Platform
from mlstep.portal.render import page


def render(platform: Platform, request_id: str) -> tuple[str, int]:
    """The page and its HTTP status: 404 when there is no such answer."""
    try:
        found = trace(platform, request_id)
    except StrataError as error:
        return page("trace.html", platform, "Trace", "/trace", request_id=request_id, found=None, error=error), 404
    return page(
        "trace.html", platform, f"Trace of {request_id}", "/trace", request_id=request_id, found=found, error=None
    ), 200
