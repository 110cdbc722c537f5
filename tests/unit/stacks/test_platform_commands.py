"""`strata preview` and `up`, with a fake Pulumi CLI at the process border."""

from __future__ import annotations

from pathlib import Path

from tests.unit.stacks.conftest import Strata
from tests.unit.stacks.engine_answers import ALWAYS, LINE, URN, change, state, summary
from tests.unit.stacks.fakes import FakeProgram, answer


def test_preview_shows_the_plan_and_counts_it(strata: Strata, pulumi: FakeProgram) -> None:
    """Each change is a line; the last line counts what a person would count, so not the stack itself."""
    events = [
        {
            "resourcePreEvent": {
                "metadata": {"op": "create", "urn": "urn:pulumi:demo-dev::strata::pulumi:pulumi:Stack::s", "type": ""}
            }
        },
        change("create", "Process", "registry-mlflow"),
        change("update", "Process", "registry-portal", diffs=["port", "__provider"]),
        summary(create=2, update=1),
    ]
    pulumi.answers(*ALWAYS, answer("preview", events=events))
    shown = strata("preview", "demo-dev")
    assert "+ local:Process                     registry-mlflow" in shown.out
    assert "registry-portal   because of port\n" in shown.out
    assert shown.out.splitlines()[-1] == " 1 to add, 1 to change, 0 to replace, 0 to delete"
    assert strata("preview", "--json").json["add"] == 1


def test_a_broken_rule_names_control_resource_and_remedy(strata: Strata, pulumi: FakeProgram) -> None:
    """A mandatory finding ends the command with its own words, and not with the engine's."""
    finding = {
        "policyName": "GOV-03",
        "policyPackName": "strata",
        "policyPackVersion": "1",
        "policyPackVersionTag": "1",
        "color": "never",
    }
    event = {
        "policyEvent": finding
        | {
            "enforcementLevel": "mandatory",
            "message": "remedy: name somebody",
            "resourceUrn": URN.format(kind="x", name="gov"),
        }
    }
    pulumi.answers(*ALWAYS, answer("preview", events=[event, summary()], code=255, stderr="error: preview failed"))
    shown = strata("preview")
    assert shown.code == 4
    assert "GOV-03 (mandatory)  gov" in shown.err
    assert "remedy: name somebody" in shown.err


def test_up_without_changes_says_so(
    strata: Strata, pulumi: FakeProgram, pack: FakeProgram, platform: Path, free_ports: int
) -> None:
    """The second time nothing is changed, the engine's `up` is not even called, and the addresses are shown."""
    pulumi.answers(*ALWAYS, answer("export", json_output=state("a")), answer("preview", events=[summary(same=2)]))
    shown = strata("up", "--no-pipeline")
    assert shown.code == 0, shown.err
    assert "2 resources, 0 changes" in shown.out
    assert "http://127.0.0.1:2 " in shown.out
    assert LINE in shown.out
    assert not any("up" in call for call in pulumi.calls)


def test_up_builds_what_is_missing(
    strata: Strata, pulumi: FakeProgram, pack: FakeProgram, platform: Path, free_ports: int
) -> None:
    """Without a state the engine builds; the stages are named."""
    events = [change("create", "Process", "registry-mlflow"), summary(create=31)]
    pulumi.answers(*ALWAYS, answer("export", json_output=state()), answer("up", events=events))
    shown = strata("up", "--no-pipeline")
    assert "31 resources: registry, pipelines, monitoring, features" in shown.out
    assert "create local:Process registry-mlflow" in shown.out


def test_a_failing_resource_is_told_without_noise(
    strata: Strata, pulumi: FakeProgram, pack: FakeProgram, free_ports: int
) -> None:
    """The provider's own message is the reason; the engine's summary of it is left out."""
    base = {"color": "never", "severity": "error", "ephemeral": False}
    events = [
        {"diagnosticEvent": base | {"message": "Exception calling application: process 'mlflow' is not healthy\n"}},
        {"diagnosticEvent": base | {"message": "update failed"}},
        summary(),
    ]
    pulumi.answers(
        *ALWAYS, answer("export", json_output=state()), answer("up", events=events, code=255, stderr="error")
    )
    shown = strata("up", "--no-pipeline")
    assert shown.code == 1
    assert " why  process 'mlflow' is not healthy\n do " in shown.err
    assert ".strata/logs/demo-dev.log" in shown.err
