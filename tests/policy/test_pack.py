"""The pack as a process: what it tells the engine, what it refuses, what it survives."""

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import grpc
import pytest
import yaml

from policies.controls import load_catalogue
from tests.policy.cases import case
from tests.policy.harness import PACK, Pack, running, start

WAIVER: Mapping[str, str] = {
    "id": "EX-2026-001",
    "control": "MON-05",
    "stack": "demo-prod",
    "resource": "*::governance",
    "owner": "o.lind@demo.example",
    "approver": "r.holm@demo.example",
    "reason": "The archive is moved in May; logs of this stack are kept there.",
    "ticket": "RISK-1",
    "compensating_control": "The archive keeps them for a year.",
    "issued": "2026-05-01",
    "expires": "2026-06-15",
}
SHORT_RETENTION = {"set": {"governance.inputs.log_retention_days": 30}}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the pack, to be changed."""
    target = tmp_path / "policies"
    shutil.copytree(PACK, target, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    return target


def _register(pack: Path, *entries: Mapping[str, str]) -> None:
    """Write exceptions, each with its own number and what differs from the usual one."""
    numbered = [{**WAIVER, "id": f"EX-2026-{number:03}", **entry} for number, entry in enumerate(entries, 1)]
    content = [entry | {key: date.fromisoformat(entry[key]) for key in ("issued", "expires")} for entry in numbered]
    (pack / "exceptions.yaml").write_text(yaml.safe_dump({"exceptions": content}), encoding="utf-8")


def test_information_comes_from_the_catalogue(pack: Pack) -> None:
    """The engine learns of every control its severity, its strictest level, its remedy and its page."""
    told = {entry.name: entry for entry in pack.information().policies}
    for control in load_catalogue().controls:
        assert told[control.id].displayName == control.title
        assert told[control.id].remediation_steps == control.remedy
        assert told[control.id].url == f"docs/controls/{control.id}.md"
        assert any("Article" in tag or "accountability" in tag for tag in told[control.id].tags)
    assert len(told) == 10


@pytest.mark.parametrize(
    ("levels", "says"),
    [
        ({"all": "disabled"}, "all: disabled: would weaken every control"),
        ({"GOV-03": "disabled"}, "GOV-03: disabled: is weaker than the catalogue"),
        ({"GOV-03": "advisory"}, "GOV-03: advisory: is weaker than the catalogue"),
        ({"GOV-33": "mandatory"}, "GOV-33: is no control of this pack"),
    ],
)
def test_weakening_configuration_is_refused(pack: Pack, levels: dict[str, str], says: str) -> None:
    """A configuration that switches a control off, lowers it or misspells it stops the run with a reason."""
    with pytest.raises(grpc.RpcError) as refused:
        pack.configure(levels)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert says in refused.value.details()


def test_all_problems_of_a_configuration_are_in_one_message(pack: Pack) -> None:
    """Somebody who corrects a configuration sees everything at once."""
    with pytest.raises(grpc.RpcError) as refused:
        pack.configure({"GOV-33": "mandatory", "MON-05": "disabled"})
    assert "GOV-33" in refused.value.details()
    assert "MON-05" in refused.value.details()


def test_configuration_that_keeps_the_catalogue_is_accepted(pack: Pack) -> None:
    """What the engine hands over when nobody configured anything is no reason to stop."""
    pack.configure(dict.fromkeys((control.id for control in load_catalogue().controls), "mandatory"))
    assert not pack.judge(case("", {})).firing()


def test_broken_control_is_an_error_and_touches_no_other(copied: Path, tmp_path: Path) -> None:
    """A rule that raises gives verdict error, stops the deployment, says where, and leaks no value."""
    rule = copied / "rules" / "mon_05.py"
    rule.write_text(
        rule.read_text().replace(
            "    if days is None:", "    if days:\n        raise KeyError('hunter2')\n    if days is None:"
        )
    )
    with running(tmp_path, copied) as pack:
        answer = pack.judge(case("", {"set": {"registry.protect": False}}))
    assert answer.verdict("MON-05") == "error"
    assert answer.levels("MON-05") == {"mandatory"}
    assert "KeyError at mon_05.py:" in answer.messages("MON-05")[0]
    assert "hunter2" not in str(answer.report)
    assert answer.verdict("REG-03") == "fail"
    assert answer.verdict("GOV-01") == "pass"


@pytest.mark.parametrize(
    ("text", "says"),
    [("def broken(:\n", "rules/mon_05.py: invalid syntax"), ("PREDICATES = ()\n", "rules/mon_05.py has no predicate")],
)
def test_rule_that_cannot_be_loaded_stops_everything(copied: Path, text: str, says: str) -> None:
    """A control of the catalogue without a working rule would silently not be enforced, so the pack does not start."""
    (copied / "rules" / "mon_05.py").write_text(text)
    process = start(copied, {})
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert says in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("control", ["MON-05", "MON-01"])
def test_control_of_another_target(copied: Path, tmp_path: Path, control: str) -> None:
    """A control that is not about this target says so, for single resources and for the stack."""
    path = copied / "catalogue" / f"{control}.yaml"
    path.write_text(path.read_text().replace("[local, azure, gcp, kubernetes]", "[azure, gcp]"))
    broken = {"monitoring.inputs.log_retention_days": 1, "monitoring.inputs.alert_owner": ""}
    with running(tmp_path, copied) as pack:
        answer = pack.judge(case("", {"set": broken}))
    assert answer.verdict(control) == "not applicable"
    assert answer.control(control)["why"] == ["target local: applies to azure, gcp only"]
    assert answer.firing() == {"MON-05", "MON-01"} - {control}


def test_exception_in_force(copied: Path, tmp_path: Path) -> None:
    """An excepted finding is advisory, says by whom and until when, and is counted apart from passes."""
    _register(copied, {})
    with running(tmp_path, copied, STRATA_POLICY_AS_OF="2026-06-15") as pack:
        answer = pack.judge(case("", SHORT_RETENTION))
    assert answer.verdict("MON-05") == "excepted"
    assert answer.levels("MON-05") == {"advisory"}
    assert "excepted by EX-2026-001 until 2026-06-15" in answer.messages("MON-05")[0]
    assert "1 excepted" in answer.report["line"]
    assert not answer.report["blocking"]
    expected = {"id": "EX-2026-001", "control": "MON-05", "expires": "2026-06-15", "standing": "expiring", "used": True}
    assert answer.report["register"]["exceptions"] == [expected]


@pytest.mark.parametrize("day", ["2026-06-16", "2026-04-30"])
def test_exception_out_of_force(copied: Path, tmp_path: Path, day: str) -> None:
    """After its last day, and before its first, the control applies."""
    _register(copied, {})
    with running(tmp_path, copied, STRATA_POLICY_AS_OF=day) as pack:
        answer = pack.judge(case("", SHORT_RETENTION))
    assert answer.verdict("MON-05") == "fail"
    assert answer.levels("MON-05") == {"mandatory"}
    ended = "exception EX-2026-001 ended on 2026-06-15; the control applies again"
    assert (ended in answer.messages("MON-05")[0]) == (day > "2026-06-15")


def test_exception_for_something_else(copied: Path, tmp_path: Path) -> None:
    """An exception covers its own control, stack and resource only, and is reported as unused."""
    _register(copied, {"stack": "demo-dev"}, {"resource": "*::monitoring"}, {"control": "GOV-03"})
    with running(tmp_path, copied, STRATA_POLICY_AS_OF="2026-06-01") as pack:
        answer = pack.judge(case("", SHORT_RETENTION))
    assert answer.verdict("MON-05") == "fail"
    assert [entry["used"] for entry in answer.report["register"]["exceptions"]] == [False] * 3


def test_invalid_register_stops_everything(copied: Path) -> None:
    """With a register that breaks its own rules the pack does not start, so nothing is deployed; all of it is told."""
    broken = {
        "GOV-02 cannot be excepted": {"control": "GOV-02", "expires": "2026-05-20"},
        "owner and approver are both": {"approver": "O.Lind@demo.example"},
        "runs 214 days; a control of severity high may be excepted for 1 to 90 days": {"expires": "2026-12-01"},
        "reason has 7 characters": {"reason": "because"},
        "control is 'GOV-99'": {"control": "GOV-99"},
        "comment: is not a known key": {"comment": "extra"},
    }
    _register(copied, *broken.values())
    process = start(copied, {})
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert not out
    assert [says for says in broken if says not in errors] == []
    assert "Traceback" not in errors
