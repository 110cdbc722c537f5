"""Policy verdicts on their page: the worst first, remedies with them, nothing hidden."""

from typing import Any

from mlstep.canonical import pretty, write_atomic
from tests.unit.portal.conftest import Portal


def _control(name: str, verdict: str, message: str = "") -> dict[str, Any]:
    findings = [{"urn": "urn:x", "found": "3", "message": message}] if message else []
    resource = {
        "urn": "urn:x",
        "verdict": verdict,
        "findings": findings,
        "exception": None,
        "blocks": verdict == "fail",
    }
    facts = {"title": f"Title of {name}", "severity": "high", "level": "mandatory", "page": "docs/controls/x.md"}
    return {"id": name, "verdict": verdict, "why": [f"why {name}"], "resources": [resource], **facts}


REPORT: dict[str, Any] = {
    "schema": "strata-policy-report/1",
    "stack": "credit-dev",
    "risk_class": "high",
    "as_of": "2026-02-20",
    "catalogue": {"version": 1, "sha256": "e" * 64},
    "register": {
        "sha256": "f" * 64,
        "exceptions": [{"id": "EX-1", "control": "C-3", "expires": "2026-03-01", "standing": "active", "used": True}],
    },
    "summary": {"controls": 5, "pass": 1, "fail": 1, "undetermined": 1, "error": 1, "not applicable": 1},
    "line": "5 controls, 1 pass, 1 fail",
    "controls": [
        _control("C-1", "pass"),
        _control("C-2", "not applicable"),
        _control("C-3", "fail", "remedy: raise <it> to 183"),
        _control("C-4", "undetermined", "remedy: run it again"),
        _control("C-5", "error", "remedy: correct the rule"),
    ],
}


def test_verdicts_with_their_remedies(empty: Portal) -> None:
    """Errors and failures come before what passed; undetermined ones are shown; remedies are escaped."""
    write_atomic(empty.world.root / "site" / "policy.json", pretty(REPORT))
    content = empty.get("/policies/")
    order = [content.index(f"<strong>{name}</strong>") for name in ("C-5", "C-3", "C-4", "C-1", "C-2")]
    assert order == sorted(order)
    assert "remedy: raise &lt;it&gt; to 183" in content
    assert content.count("What to do") == 3
    assert "EX-1" in content
    assert "5 controls, 1 pass, 1 fail" in empty.get("/")


def test_a_report_of_another_schema_is_not_shown(empty: Portal) -> None:
    """What cannot be read for sure is as good as absent."""
    write_atomic(empty.world.root / "site" / "policy.json", pretty({**REPORT, "schema": "other/2"}))
    assert "No policy report was left here" in empty.get("/policies/")
