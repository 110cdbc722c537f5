"""Step gate: every rule of the policy against the reports, as evidence that a person can sign."""

import shutil
from typing import Any, ClassVar

from mlstep.canonical import read_json
from mlstep.gate_policy import REPORTS, REQUIRED_REPORTS, Finding, apply, read_policy
from mlstep.step import Context, Decision, NoConfig, StepResult


class Gate:
    """Judge a candidate by a policy."""

    name: ClassVar[str] = "gate"
    config_type: ClassVar[type] = NoConfig
    inputs: ClassVar[tuple[str, ...]] = ("candidate", "policy")
    optional_inputs: ClassVar[tuple[str, ...]] = REPORTS  # An absent report is a verdict, not a mistake in the call.
    outputs: ClassVar[tuple[str, ...]] = ("evidence",)

    def run(self, ctx: Context[NoConfig]) -> StepResult:
        """Write `evidence.json` and the policy that was applied; fail when a rule of severity fail does not hold."""
        candidate = read_json(ctx.inputs["candidate"] / "candidate.json")
        policy = read_policy(ctx.inputs["policy"])
        reports = {name: ctx.report(name) for name in REPORTS if ctx.has(name)}
        findings, idle = apply(policy, reports)
        findings = [_complete(reports), _about_this(ctx, candidate, reports), _no_personal_data(reports), *findings]
        failed = [finding for finding in findings if finding.verdict == "fail"]
        warned = [finding for finding in findings if finding.verdict == "warn"]
        decision: Decision = "fail" if failed else "pass"
        ctx.write_report(
            {
                "model": candidate["model"],
                "version": candidate["version"],
                "model_digest": candidate["digest"],
                "author": candidate["author"],
                "run": candidate["run"],
                "data": candidate["data"],
                "champion": (reports.get("evaluate") or {}).get("champion"),
                "policy": {"name": policy.name, "owner": policy.owner},
                "policy_digest": ctx.origins["policy"]["digest"],
                "reports": {name: ctx.origins[name]["digest"] for name in sorted(reports)},
                "rules": [finding.as_json() for finding in findings],
                "not_applicable": idle,
                "decision": decision,
            },
            output="evidence",
            file="evidence.json",
        )
        shutil.copyfile(ctx.inputs["policy"], ctx.outputs["evidence"] / "policy.yaml")
        metrics = {"rules": float(len(findings)), "failed": float(len(failed)), "warned": float(len(warned))}
        return StepResult(decision, metrics, [finding.sentence for finding in failed + warned])


def _complete(reports: dict[str, Any]) -> Finding:
    absent = [name for name in REQUIRED_REPORTS if name not in reports]
    why = "Nothing is judged on reports that are not there."
    return _builtin("reports.present", absent, f"no report of {', '.join(absent)}", "must all be there", why)


def _about_this(ctx: Context[NoConfig], candidate: dict[str, Any], reports: dict[str, Any]) -> Finding:
    """Reports are those that the candidate was registered with, and those about a model are about this one's bytes."""
    registered = candidate["reports"]
    wrong = []
    for name in sorted(reports):
        if registered.get(name) != ctx.origins[name]["digest"]:
            wrong.append(f"{name}: not the report that the candidate was registered with")
        elif reports[name].get("model_digest", candidate["digest"]) != candidate["digest"]:
            wrong.append(f"{name}: about model {reports[name]['model_digest'][:12]}")
    why = "A good report of another model says nothing about this one."
    must = f"must all be about {candidate['digest'][:12]}"
    return _builtin("reports.about_this_model", wrong, "; ".join(wrong), must, why)


def _no_personal_data(reports: dict[str, Any]) -> Finding:
    decision = (reports.get("pii") or {}).get("decision")
    wrong = [] if decision == "pass" else ["personal data" if decision == "fail" else "no verdict"]
    why = "Personal data without a legal basis in the contract must not reach a model."
    about = "see the report of pii for columns and kinds" if wrong else ""
    return _builtin("pii.personal_data", wrong, about, "must have a passing report", why)


def _builtin(name: str, wrong: list[str], about: str, must: str, why: str) -> Finding:
    found = "all right" if not wrong else f"{len(wrong)} wrong"
    return Finding(name, "fail" if wrong else "pass", found, None, must, about if wrong else "", why)
