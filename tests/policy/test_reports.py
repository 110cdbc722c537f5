"""Judging an exported state without the engine, and the two command lines."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.policy.cases import SECRET, SIGNATURE, case
from tests.policy.harness import PYTHON, ROOT


def _state(**changes: Any) -> dict[str, Any]:
    """The compliant stack as `pulumi stack export --show-secrets` writes it."""
    chosen = case("", changes)
    entries = [{**resource, "urn": chosen.urn(resource)} for resource in chosen.resources]
    text = json.dumps({"version": 3, "deployment": {"resources": entries}})
    state: dict[str, Any] = json.loads(text, object_hook=_exported)
    return state


def _exported(value: dict[str, Any]) -> dict[str, Any]:
    if value.get(SIGNATURE) == SECRET:
        return {SIGNATURE: SECRET, "plaintext": json.dumps(value["value"])}
    return value


def _run(module: str, *arguments: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    command = [str(PYTHON), "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=120, check=False)


def test_compliant_state() -> None:
    """A state that keeps every rule: exit code 0 and a line for people."""
    done = _run("policies.reports", "--state", "-", text=json.dumps(_state()))
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "10 controls, 10 pass, 0 not applicable, 0 undetermined (stack demo-prod, prod, risk class high" in done.stdout
    )


def test_broken_state_as_json_and_into_a_folder(tmp_path: Path) -> None:
    """A state that breaks a rule: exit code 1, the control is named, the same bytes on screen and in the file."""
    path = tmp_path / "state.json"
    path.write_text(json.dumps(_state(set={"registry.protect": False})), encoding="utf-8")
    done = _run("policies.reports", "--state", str(path), "--json", "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert json.loads(done.stdout)["blocking"] == ["REG-03"]
    assert (tmp_path / "out" / "report.json").read_text(encoding="utf-8") == done.stdout
    assert "registry: the resource option protect is false" in (tmp_path / "out" / "report.txt").read_text("utf-8")
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["report.json", "report.txt"]


def test_order_of_resources_does_not_matter() -> None:
    """The same resources in another order give the same bytes."""
    state = _state(stack="demo-dev", environment="dev", set={"monitoring.inputs.alert_owner": ""})
    first = _run("policies.reports", "--state", "-", "--json", text=json.dumps(state)).stdout
    state["deployment"]["resources"].reverse()
    assert _run("policies.reports", "--state", "-", "--json", text=json.dumps(state)).stdout == first
    assert json.loads(first)["blocking"] == ["MON-01"]


def test_encrypted_state_is_undetermined_where_content_counts() -> None:
    """Without its secrets a state cannot show that no password is a default one, and the report says so."""
    text = json.dumps(_state()).replace('"plaintext"', '"ciphertext"')
    done = _run("policies.reports", "--state", "-", "--json", text=text)
    report = json.loads(done.stdout)
    verdicts = {entry["id"]: entry["verdict"] for entry in report["controls"]}
    assert {name for name, verdict in verdicts.items() if verdict != "pass"} == {"ENC-04"}
    assert verdicts["ENC-04"] == "undetermined"
    assert "9 pass" in report["line"]
    assert "1 undetermined" in report["line"]


def test_declared_environment_and_risk_class_are_the_stricter_ones() -> None:
    """A stack that calls itself dev but declares prod is judged as production; two risk classes count as not known."""
    state = _state(stack="demo-dev", set={"registry.protect": False}, copy={"governance": "second"})
    entry = next(entry for entry in state["deployment"]["resources"] if entry["name"] == "second")
    entry["inputs"]["use_case"]["risk_class"] = "minimal"
    report = json.loads(_run("policies.reports", "--state", "-", "--json", text=json.dumps(state)).stdout)
    assert report["environments"] == ["dev", "prod"]
    assert report["risk_class"] is None
    assert {"REG-03", "GOV-01"} <= set(report["blocking"])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"deployment": {"resources": []}}', "not JSON"])
def test_invalid_state(text: str) -> None:
    """Something that is no state: exit code 2 and one message with a remedy."""
    done = _run("policies.reports", "--state", "-", text=text)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pulumi stack export" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"all": "disabled"}', "all: disabled: would weaken every control"),
        ('{"GOV-3": "mandatory"}', "GOV-3: is no control of this pack"),
        ('{"GOV-03": {"enforcementLevel": "advisory"}}', "GOV-03: advisory: is weaker than the catalogue"),
        ('{"GOV-03": "strict"}', "GOV-03: level is 'strict'"),
        ('{"GOV-03": {"domain": "x"}}', "GOV-03: sets domain; remove it"),
        ("[]", "is list; write a JSON object"),
        ("{", "write a JSON object"),
    ],
)
def test_policy_configuration_file(tmp_path: Path, content: str, says: str) -> None:
    """A configuration file is refused before the engine sees it, with the file's name."""
    path = tmp_path / "policy.json"
    path.write_text(content, encoding="utf-8")
    done = _run("policies.config", str(path))
    assert done.returncode == 1
    assert f"{path}: " in done.stderr
    assert says in done.stderr


def test_policy_configuration_file_that_keeps_the_catalogue(tmp_path: Path) -> None:
    """Asking for what the catalogue says anyway is accepted."""
    path = tmp_path / "policy.json"
    path.write_text('{"GOV-03": "mandatory", "REG-03": {"enforcementLevel": "mandatory"}}', encoding="utf-8")
    done = _run("policies.config", str(path))
    assert (done.returncode, done.stderr) == (0, "")
