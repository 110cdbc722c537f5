"""Policy verdicts, as the pack last gave them."""

from mlstep.platform import Platform
from mlstep.portal.reading import policy
from mlstep.portal.render import page

ORDER = ("error", "fail", "undetermined", "excepted", "pass", "not applicable")


def render(platform: Platform) -> str:
    """Verdicts, the worst first; undetermined ones and errors are never hidden."""
    report = policy.read(platform.root)
    controls = (
        [] if report is None else sorted(report["controls"], key=lambda entry: (_rank(entry["verdict"]), entry["id"]))
    )
    return page("policies.html", platform, "Policies", "/policies/", report=report, controls=controls)


def _rank(verdict: str) -> int:
    word = verdict.replace("_", " ")
    return ORDER.index(word) if word in ORDER else 0
