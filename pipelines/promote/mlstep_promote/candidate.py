"""A candidate as the run that made it left it: found, read, and checked down to the last byte."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlstep import history, store
from mlstep.alerts import promotion
from mlstep.canonical import read_json
from mlstep.errors import ConfigError, IntegrityError, RefusedError
from mlstep.evidence import lineage
from mlstep.evidence.gate import PASSED, counts, read_evidence
from mlstep.gate_policy import REQUIRED_REPORTS
from mlstep.platform import Platform


@dataclass(frozen=True)
class Candidate:
    """One registered candidate and the evidence of its gate.

    Attributes:
        digest: tree digest of the model folder.
        author: who trained it.
        evidence: content of the gate's evidence.json; empty when the gate did not run.
        evidence_digest: tree digest of the gate's output.
        policy_digest: SHA-256 of the policy file that the gate applied.
    """

    model: str
    version: int
    digest: str
    author: str
    pipeline: str
    run: str
    folder: Path
    evidence: dict[str, Any]
    evidence_digest: str
    policy_digest: str

    @property
    def name(self) -> str:
        """For people: `credit v3`."""
        return f"{self.model} v{self.version}"


def find(platform: Platform, model: str, version: int) -> Candidate:
    """The candidate of a model and version, from the newest run that registered it.

    Raises:
        ConfigError: there is none; the message lists those that exist.
    """
    found = {path: read_json(path) for path in sorted(platform.root.glob("runs/*/*/register/candidate/candidate.json"))}
    chosen = [
        path for path, content in found.items() if (content["model"], int(content["version"])) == (model, version)
    ]
    if not chosen:
        names = sorted({f"{content['model']} v{content['version']}" for content in found.values()})
        raise ConfigError(
            f"{model} v{version}: no run registered it",
            f"candidates: {', '.join(names) or 'none; run the pipeline first'}",
        )
    return _read(chosen[-1].parents[2], found[chosen[-1]])


def problems(platform: Platform, candidate: Candidate) -> list[str]:
    """Everything that speaks against a candidate: bytes, links, reports, the gate's decision."""
    run = lineage.read(platform.root, candidate.pipeline, candidate.run)
    found = [f"run {candidate.run} is gone"] if run is None else list(run.problems)
    try:
        store.verify(platform.root, candidate.digest)
    except IntegrityError as error:
        found.append(error.what)
    if run is not None and run.output(candidate.digest) is None:
        found.append(f"no step of run {candidate.run} made the bytes {candidate.digest[:12]}")
    return found + _report_problems(candidate) + _gate_problems(candidate)


def refuse_unless_sound(platform: Platform, candidate: Candidate, act: str) -> None:
    """Refuse an act on a candidate that anything speaks against.

    Raises:
        RefusedError: all reasons in one message.
    """
    reasons = problems(platform, candidate)
    if reasons:
        raise RefusedError(
            f"{act} of {candidate.name} refused:\n    " + "\n    ".join(reasons),
            "mend the cause and run the pipeline again",
        )


def refuse_unless_compared(platform: Platform, candidate: Candidate) -> None:
    """Refuse a candidate whose gate compared it with another champion than the one that answers now.

    Raises:
        RefusedError: the champion changed since, or the pipeline did not compare.
        IntegrityError: the history does not verify.
    """
    champion = history.current(platform, candidate.model)
    if champion is None or champion.model_digest == candidate.digest:
        return
    compared = (candidate.evidence.get("champion") or {}).get("digest")
    if compared != champion.model_digest:
        found = f"the bytes {compared[:12]}" if compared else "no champion"
        raise RefusedError(
            f"{candidate.name} was compared with {found}, and v{champion.version} ({champion.model_digest[:12]}) "
            "answers now",
            "run the pipeline again, with `champion: ${champion.model?}` among evaluate's inputs",
        )


def refuse_while_alerts_forbid(platform: Platform, candidate: Candidate) -> None:
    """Refuse a candidate while an alert about the champion forbids promotions; `mlstep.alerts.promotion` has the rule.

    Raises:
        RefusedError: all reasons in one message.
        IntegrityError: the history does not verify.
    """
    reasons = promotion.refusals(platform, candidate.model, candidate.folder)
    if reasons:
        raise RefusedError(
            f"no promotion of {candidate.name} for now:\n    " + "\n    ".join(reasons),
            "find the cause of the alert (docs/runbooks/monitoring.md); going back to a former champion stays possible",
        )


def _read(folder: Path, content: dict[str, Any]) -> Candidate:
    manifest_file = folder / "gate" / "evidence" / "manifest.json"
    manifest = read_json(manifest_file) if manifest_file.is_file() else None
    return Candidate(
        model=str(content["model"]),
        version=int(content["version"]),
        digest=str(content["digest"]),
        author=str(content["author"]),
        pipeline=folder.parent.name,
        run=folder.name,
        folder=folder,
        evidence=read_evidence(manifest_file.parent) if manifest else {},
        evidence_digest=manifest["digest"] if manifest else "",
        policy_digest=manifest["inputs"]["policy"]["digest"] if manifest else "",
    )


def _report_problems(candidate: Candidate) -> list[str]:
    reasons = []
    for step in REQUIRED_REPORTS:
        result = candidate.folder / step / "result.json"
        report = candidate.folder / step / "report" / "report.json"
        if not (result.is_file() and report.is_file()):
            reasons.append(f"{step}: its report is missing")
            continue
        content = read_json(result)
        if content["decision"] == "fail":
            reasons.append(f"{step}: failed ({'; '.join(content['reasons']) or 'no reason given'})")
    return reasons


def _gate_problems(candidate: Candidate) -> list[str]:
    if not candidate.evidence:
        return ["gate: it did not run, so there is no evidence"]
    passed, total = counts(candidate.evidence)
    reasons = []
    if candidate.evidence["decision"] not in PASSED:
        reasons.append(f"gate: {candidate.evidence['decision']} ({passed} of {total} rules passed)")
    if candidate.evidence["policy_digest"] != candidate.policy_digest:
        reasons.append("gate: the evidence names another policy than the one that was read")
    manifest = read_json(candidate.folder / "gate" / "evidence" / "manifest.json")
    reasons += [
        f"gate: did not read the report of {step}" for step in REQUIRED_REPORTS if step not in manifest["inputs"]
    ]
    return reasons
