"""The link to the gate: what the release was judged by."""

from pathlib import Path
from typing import Any

from mlstep.canonical import read_json
from mlstep.evidence.lineage import Lineage
from mlstep.evidence.links import Link, broken, judged, short
from mlstep.history import Entry
from mlstep.platform import Platform

PASSED = ("pass", "warn")


def read_evidence(folder: Path) -> dict[str, Any]:
    """`evidence.json` of a gate's output."""
    content: dict[str, Any] = read_json(folder / "evidence.json")
    return content


def counts(evidence: dict[str, Any]) -> tuple[int, int]:
    """How many rules passed, of how many."""
    rules = evidence["rules"]
    return sum(rule["verdict"] in PASSED for rule in rules), len(rules)


def gate_link(platform: Platform, lineage: Lineage | None, entry: Entry) -> Link:
    """The gate's evidence, whose digest the statement signed, and the policy it applied."""
    evidence_digest, policy_digest = entry.evidence_digest, entry.policy_digest
    facts: dict[str, Any] = {"evidence_digest": evidence_digest, "policy_digest": policy_digest}
    output = None if lineage is None else lineage.output(evidence_digest)
    if output is None:
        return broken(
            "gate", f"the evidence that was signed (sha256 {short(evidence_digest)}) is not in the run", **facts
        )
    try:
        evidence = read_evidence(output.folder)
    except (OSError, ValueError) as error:
        return broken("gate", f"the evidence cannot be read: {error}", **facts)
    passed, total = counts(evidence)
    problems = [] if output.problem is None else [output.problem]
    if evidence["policy_digest"] != policy_digest:
        problems.append(
            f"the evidence applied policy {short(evidence['policy_digest'])}, the history names {short(policy_digest)}"
        )
    if evidence["decision"] not in PASSED:
        problems.append(f"the gate decided {evidence['decision']}")
    report = _report(platform, entry, output.folder)
    detail = f"{evidence['decision']} {passed}/{total}  policy sha256 {short(policy_digest)}  report {report}"
    return judged("gate", detail, {**facts, "passed": passed, "rules": total, "report": report}, problems)


def _report(platform: Platform, entry: Entry, folder: Path) -> str:
    """The portal's page about this gate, or the file where the platform has no portal."""
    portal = platform.stages.get("registry", {}).get("portal_uri")
    page = f"models/{entry.model}/v{entry.version}/gate"
    return f"{str(portal).rstrip('/')}/{page}" if portal else str(folder / "evidence.json")
