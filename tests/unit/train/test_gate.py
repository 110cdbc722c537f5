"""The gate: what it must refuse, and how it says why."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mlstep.canonical import digest_file, pretty, read_json
from mlstep.errors import ConfigError
from mlstep.gate_policy import read_policy
from mlstep.manifest import Origin, verify_manifest, write_manifest
from mlstep.step import StepResult
from tests.unit.train import making

POLICY = Path(__file__).parents[3] / "pipelines" / "credit" / "policy.yaml"
DIGEST = "a" * 64
INTERVAL = {"value": 0.74, "low": 0.72, "high": 0.76}


def good() -> dict[str, dict[str, Any]]:
    """Reports with which the reference policy is content."""
    ratio = {"value": 0.95, "low": 0.91, "high": 0.99, "about": "group 66+, n = 1,500"}
    gap = {"value": 0.01, "low": -0.02, "high": 0.04, "about": "group 66+, n = 1,500"}
    column = {"approval_rate_ratio": ratio, "opportunity_gap": gap}
    return {
        "validate": {"decision": "pass"},
        "pii": {"decision": "pass"},
        "evaluate": {
            "decision": "pass",
            "model_digest": DIGEST,
            "positives": 1000,
            "auc": INTERVAL,
            "expected_calibration_error": 0.01,
            "brier_skill": 0.1,
            "fit": {"train_test_gap": 0.01, "fold_standard_deviation": 0.01},
            "latency": {"p95_ms": 2.0},
            "champion": None,
        },
        "explain": {"decision": "pass", "model_digest": DIGEST},
        "fairness": {"decision": "pass", "group_columns": ["age_band"], "columns": {"age_band": column}},
        "plausibility": {"decision": "pass", "model_digest": DIGEST, "failed": 0},
    }


def write(folder: Path, name: str, file: str, content: Any) -> Path:
    """A JSON file as a step's output."""
    target = folder / name
    target.mkdir(parents=True)
    (target / file).write_text(pretty(content), encoding="utf-8")
    write_manifest(
        target, name, Origin(name, "run", {}, "0", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), None, None
    )
    return target


def gate(folder: Path, reports: dict[str, Any], policy: Path = POLICY, /, **candidate: Any) -> StepResult:
    """Run the gate on reports and the candidate that was registered with them."""
    folders = {name: write(folder, name, "report.json", report) for name, report in reports.items()}
    digests = {name: verify_manifest(path)["digest"] for name, path in folders.items()}
    content = {"model": "credit", "version": 3, "digest": DIGEST, "author": "j.ek@demo.example", "run": "run"}
    registered = write(folder, "registered", "candidate.json", {**content, "data": {}, "reports": digests, **candidate})
    return making.run(folder, "gate", {"candidate": registered, "policy": policy, **folders})


def evidence(folder: Path) -> Any:
    """What the gate left to be signed."""
    return read_json(folder / "gate" / "evidence" / "evidence.json")


def test_good_reports_pass_and_leave_evidence(tmp_path: Path) -> None:
    """The evidence names model, policy and every report by digest, and each rule with what was found."""
    assert gate(tmp_path, good()).decision == "pass"
    written = evidence(tmp_path)
    assert (written["decision"], written["version"], written["model_digest"]) == ("pass", 3, DIGEST)
    assert written["policy_digest"] == digest_file(POLICY) == digest_file(tmp_path / "gate/evidence/policy.yaml")
    assert written["reports"] == {name: verify_manifest(tmp_path / name)["digest"] for name in good()}
    assert {rule["verdict"] for rule in written["rules"]} == {"pass"}
    assert written["not_applicable"] == ["evaluate.paired_auc_delta"]


@pytest.mark.parametrize("name", ["validate", "pii", "evaluate", "fairness", "plausibility"])
def test_absent_report_fails(tmp_path: Path, name: str) -> None:
    """What was not judged has not passed, and the missing report is named."""
    reports = good()
    del reports[name]
    result = gate(tmp_path, reports)
    assert result.decision == "fail"
    assert f"no report of {name}" in result.reasons[0]


def test_personal_data_fails_whatever_the_policy_says(tmp_path: Path) -> None:
    """A policy with one easy rule cannot let personal data through."""
    rule = {"id": "easy", "report": "evaluate", "field": "positives", "at_least": 1, "why": "easy"}
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        yaml.safe_dump({"policy_version": 1, "name": "x", "owner": "x", "rules": [rule]}), encoding="utf-8"
    )
    result = gate(tmp_path, {**good(), "pii": {"decision": "fail"}}, policy)
    assert result.decision == "fail"
    assert result.reasons[0].startswith("pii.personal_data")


def test_unfair_group_is_named_with_its_numbers(tmp_path: Path) -> None:
    """The reason holds rule, interval, limit and group, as a person needs them."""
    reports = good()
    ratio = {"value": 0.71, "low": 0.66, "high": 0.76, "about": "group 18-25, n = 4,210"}
    reports["fairness"]["columns"]["age_band"]["approval_rate_ratio"] = ratio
    result = gate(tmp_path, reports)
    assert result.decision == "fail"
    assert result.reasons[0].split("  ") == [
        "fairness.age_band.approval_rate_ratio",
        "0.710 [0.660, 0.760]",
        "must have a lower bound of at least 0.8",
        "group 18-25, n = 4,210",
    ]
    assert len(result.reasons) == 1


def test_worse_than_the_champion_fails(tmp_path: Path) -> None:
    """With a champion the paired delta counts: its lower bound, not its value."""
    reports = good()
    reports["evaluate"] |= {
        "champion": {"digest": "b" * 64},
        "paired_auc_delta": {"value": -0.003, "low": -0.016, "high": 0.01},
    }
    result = gate(tmp_path, reports)
    assert result.decision == "fail"
    assert result.reasons[0].startswith(
        "evaluate.paired_auc_delta  -0.003 [-0.016, 0.010]  must have a lower bound above -0.01"
    )
    assert evidence(tmp_path)["champion"] == {"digest": "b" * 64}


def test_champion_that_was_not_compared_fails(tmp_path: Path) -> None:
    """A champion without a delta is no pass."""
    reports = good()
    reports["evaluate"]["champion"] = {"digest": "b" * 64, "comparable": False}
    result = gate(tmp_path, reports)
    assert result.decision == "fail"
    assert "the report of evaluate has no paired_auc_delta" in result.reasons[0]


def test_report_about_another_model_fails(tmp_path: Path) -> None:
    """A good report of another model says nothing about this one."""
    reports = good()
    reports["plausibility"]["model_digest"] = "c" * 64
    result = gate(tmp_path, reports)
    assert result.decision == "fail"
    assert "plausibility: about model cccccccccccc" in result.reasons[0]


def test_report_that_the_candidate_was_not_registered_with_fails(tmp_path: Path) -> None:
    """A report swapped after registration is found by its digest."""
    result = gate(tmp_path, good(), reports=dict.fromkeys(good(), "d" * 64))
    assert result.decision == "fail"
    assert "fairness: not the report that the candidate was registered with" in result.reasons[0]


def test_undecidable_fairness_warns_and_is_shown(tmp_path: Path) -> None:
    """A column too small to judge is no failure by this policy, but the signer sees it."""
    reports = good()
    reports["fairness"]["columns"]["age_band"] = {"approval_rate_ratio": None, "opportunity_gap": None}
    result = gate(tmp_path, reports)
    assert result.decision == "pass"
    assert all("not decidable" in reason for reason in result.reasons)
    assert result.metrics["warned"] == 2


def test_interval_without_the_bound_fails(tmp_path: Path) -> None:
    """A number where an interval is expected does not pass by accident."""
    reports = good()
    reports["evaluate"]["auc"] = 0.99
    assert gate(tmp_path, reports).decision == "fail"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"report": "reprot"}, r"report: is 'reprot' \(allowed: validate"),
        ({"at_leest": 3}, "did you mean at_least"),
        ({"above": 1}, r"has 2 limits \['above', 'at_least'\]"),
        ({"at_least": "much"}, "write a number"),
        ({"id": "a.*"}, "in both id and field"),
        ({"why": ""}, "why: is ''"),
        ({"severity": "mild"}, "allowed: fail, warn"),
    ],
)
def test_wrong_policy_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """A policy that could be misread is not applied; the message names rule and remedy."""
    rule = {"id": "a", "report": "evaluate", "field": "positives", "at_least": 1, "why": "w", **change}
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump({"policy_version": 1, "name": "x", "owner": "x", "rules": [rule]}), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_policy(file)


def test_policy_without_rules_is_refused(tmp_path: Path) -> None:
    """An empty policy would pass everything; all its problems come at once."""
    file = tmp_path / "policy.yaml"
    file.write_text("policy_version: 2\nrules: []\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"(?s)policy_version.*name.*owner.*rules"):
        read_policy(file)
