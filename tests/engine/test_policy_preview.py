"""The policy pack under the real engine: what stops a preview, what an auditor sees, what a configuration cannot do."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.harness import Engine
from tests.engine.local_platform import free_port_base
from tests.policy.cases import UNKNOWN, case

REPOSITORY = Path(__file__).parents[2]
PACK = REPOSITORY / "policies"
PROJECT = "name: scratch\nruntime: {name: python, options: {toolchain: pip, virtualenv: .venv}}\n"
# Registers every resource of a fixture as a component: the engine shows a pack the inputs of both kinds alike.
PROGRAM = """
import json
import pulumi

SIGNATURE = "4dabf18193072939515e22adb298388d"

def value(found):
    if isinstance(found, dict) and SIGNATURE in found:
        return pulumi.Output.secret(value(found["value"]))
    if isinstance(found, dict):
        return {key: value(item) for key, item in found.items()}
    if isinstance(found, list):
        return [value(item) for item in found]
    return found

with open("resources.json") as stream:
    resources = json.load(stream)
for resource in resources:
    opts = pulumi.ResourceOptions(protect=bool(resource.get("protect")))
    made = pulumi.ComponentResource(resource["type"], resource["name"], value(resource.get("inputs", {})), opts)
    made.register_outputs(value(resource.get("outputs", {})))
"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Where the pack writes its verdicts."""
    return tmp_path / "report.json"


@pytest.fixture
def watched(engine: Engine, policies_environment: Path, report: Path) -> Engine:
    """The engine, with the pack told where its report goes."""
    assert policies_environment == PACK / ".venv"
    return replace(engine, environment={**engine.environment, "STRATA_POLICY_REPORT": str(report)})


@pytest.fixture
def project(tmp_path: Path, program_environment: Path) -> Path:
    """A project that registers the resources of a fixture."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(PROJECT)
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / ".venv").symlink_to(program_environment)
    return folder


def _resources(project: Path, **changes: Any) -> None:
    chosen = [resource for resource in case("", changes).resources if resource["type"] != "pulumi:pulumi:Stack"]
    (project / "resources.json").write_text(json.dumps(chosen))


def test_compliant_stack(watched: Engine, project: Path, report: Path) -> None:
    """A stack that keeps every rule is built; the report of the update has all verdicts."""
    _resources(project)
    built = watched.up(project, "demo-prod", packs=[PACK])
    assert built.ok, built.output
    found = json.loads(report.read_text())
    assert found["line"] == "10 controls, 10 pass, 0 not applicable, 0 undetermined"
    assert (found["stack"], found["environments"], found["preview"]) == ("demo-prod", ["prod"], False)


@pytest.mark.parametrize(
    ("control", "resource", "changes", "found", "remedy"),
    [
        (
            "GOV-03",
            "governance",
            {"governance.inputs.use_case.risk_approver": "o.lind@demo.example"},
            "use_case.owner and use_case.risk_approver are both",
            "Name three different people",
        ),
        (
            "MON-01",
            "monitoring",
            {"monitoring.inputs.alert_owner": ""},
            "alert_owner is absent or empty",
            "Set monitoring.alert_route",
        ),
        (
            "ENC-04",
            "auth-settings",
            {"auth-settings.inputs.content": {"secret": "admin_password = password1234"}},
            "sets admin_password to a well-known default",
            "Generate the value",
        ),
    ],
)
def test_preview_names_control_resource_and_remedy(
    watched: Engine, project: Path, control: str, resource: str, changes: dict[str, Any], found: str, remedy: str
) -> None:
    """One broken control stops the preview; nobody has to look up which, where and what to do."""
    _resources(project, set=changes)
    result = watched.preview(project, "demo-prod", packs=[PACK])
    assert not result.ok
    assert [(name, level) for name, level, _ in result.violations] == [(control, "mandatory")], result.output
    message = result.violations[0][2]
    for part in (control, resource, found, remedy, f"docs/controls/{control}.md"):
        assert part in message
        assert part in result.output
    assert "password1234" not in result.output + json.dumps(list(result.events))


def test_unknown_value_is_shown_and_does_not_stop(watched: Engine, project: Path, report: Path) -> None:
    """What only the update will know is an advisory line and an undetermined verdict."""
    _resources(project, set={"monitoring.inputs.log_retention_days": UNKNOWN})
    result = watched.preview(project, "demo-prod", packs=[PACK])
    assert result.ok, result.output
    assert [(name, level) for name, level, _ in result.violations] == [("MON-05", "advisory")]
    assert "log_retention_days is not known before the update" in result.output
    assert "1 undetermined" in json.loads(report.read_text())["line"]


@pytest.mark.parametrize(
    ("content", "says"),
    [({"all": "disabled"}, "all: disabled: would weaken"), ({"GOV-33": "mandatory"}, "GOV-33: is no control")],
)
def test_configuration_cannot_weaken(
    watched: Engine, project: Path, tmp_path: Path, content: dict[str, str], says: str
) -> None:
    """The engine itself would accept both without a word; the pack refuses."""
    _resources(project)
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(content))
    result = watched.preview(project, "demo-prod", packs=[PACK], arguments=["--policy-pack-config", str(path)])
    assert not result.ok
    assert says in result.output


def test_auditor_judges_an_exported_state(watched: Engine, project: Path, tmp_path: Path) -> None:
    """`policy analyze` on a state: no program, no stack; a change made behind the program's back is found."""
    _resources(project)
    built = watched.up(project, "demo-prod", packs=[PACK])
    assert built.ok, built.output
    state = watched.export(project, "demo-prod")
    path = tmp_path / "state.json"
    analyze = ("policy", "analyze", "--file", str(path), "--policy-pack", str(PACK))
    path.write_text(json.dumps(state))
    assert watched.command(tmp_path, *analyze).ok
    entry = next(item for item in state["deployment"]["resources"] if item["urn"].endswith("::governance"))
    entry["inputs"]["log_retention_days"] = 7
    path.write_text(json.dumps(state))
    found = watched.command(tmp_path, *analyze)
    assert not found.ok
    assert "log_retention_days is 7" in found.output


def test_record_that_breaks_a_control(watched: Engine, tmp_path: Path, report: Path, program_environment: Path) -> None:
    """The real program, with a record that keeps logs for 30 days: the preview fails and no file is written."""
    project = tmp_path / "strata"
    project.mkdir()
    for name in ("components", "pipelines", "tools", "__main__.py", "Pulumi.yaml"):
        (project / name).symlink_to(REPOSITORY / name)
    (project / ".venv").symlink_to(program_environment)
    shutil.copytree(REPOSITORY / "stacks", project / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    record = project / "stacks" / "workspaces" / "demo.yaml"
    data = tmp_path / "data"
    text = record.read_text()
    changes = {
        "log_retention_days: 365": "log_retention_days: 30",
        "data_dir: null": f"data_dir: {data}",
        "base: 25100": f"base: {free_port_base()}",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    record.write_text(text)
    result = watched.preview(project, "demo-dev", packs=[PACK])
    assert not result.ok
    assert {name for name, level, _ in result.violations if level == "mandatory"} == {"MON-05"}, result.output
    assert "log_retention_days is 30" in result.output
    assert not data.exists()
    assert json.loads(report.read_text())["blocking"] == ["MON-05"]
