"""Commands over the run-time plane, with a fake `mlstep` at the process border."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stacks.commands.pipeline_run import bar
from tests.unit.stacks.conftest import Strata
from tests.unit.stacks.fakes import FakeProgram, answer, lines

CANDIDATE = {"model": "credit", "version": 3, "digest": "ab" * 32}
STARTED = {"type": "run-started", "run": "01RUN", "pipeline": "credit", "author": "j.ek", "total": 2}


def finished(step: str, decision: str | None, *reasons: str) -> dict[str, object]:
    """A step-finished event."""
    return {
        "type": "step-finished",
        "run": "01RUN",
        "step": step,
        "decision": decision,
        "seconds": 1.5,
        "reasons": reasons,
    }


def ended(state: str, *reasons: str, **facts: object) -> dict[str, object]:
    """A run-finished event."""
    return {"type": "run-finished", "run": "01RUN", "state": state, "seconds": 12.0, "reasons": reasons, **facts}


def test_a_run_shows_its_steps_and_its_candidate(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """One line per step, then the candidate and the command that signs it."""
    events = lines(
        STARTED, finished("ingest", "pass"), finished("gate", "warn", "few rows"), ended("passed", candidate=CANDIDATE)
    )
    mlstep.answers(answer("run", stdout=events))
    shown = strata("run", "credit", "--author", "j.ek@demo.example")
    assert shown.code == 0
    assert "✓ ingest           1.5 s" in shown.out
    assert "! gate             1.5 s  few rows" in shown.out
    assert "credit v3  sha256 abababababab…" in shown.out
    assert "strata sign credit v3 --as risk --stack demo-dev" in shown.out
    assert mlstep.calls == [["run", "credit", "--events", "--author", "j.ek@demo.example", "--root", str(platform)]]


def test_a_run_as_json_is_one_object(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """With --json the progress goes to standard error and the result alone to standard output."""
    mlstep.answers(
        answer("run", stdout=lines(STARTED, finished("ingest", "pass"), ended("passed", candidate=CANDIDATE)))
    )
    shown = strata("run", "credit", "--json")
    assert shown.json["state"] == "passed"
    assert shown.json["candidate"] == CANDIDATE
    assert "ingest" in shown.err


def test_a_gate_that_says_no_gives_its_reasons(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """Reasons of the gate come first, nothing is promoted, and the exit code says refused."""
    reasons = ("fairness: ratio 0.71", "gate: fairness.age_band must be above 0.80")
    mlstep.answers(answer("run", stdout=lines(STARTED, finished("gate", "fail"), ended("failed", *reasons)), code=1))
    shown = strata("run", "credit")
    assert shown.code == 4
    assert shown.err.index("gate: fairness.age_band") < shown.err.index("fairness: ratio 0.71")
    assert "nothing was promoted" in shown.err


def test_a_crashed_run_can_be_resumed(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """A crash names the step, its reason and the command that goes on."""
    events = lines(STARTED, finished("train", None, "no memory"), ended("crashed", "train: no memory"))
    mlstep.answers(answer("run", stdout=events, code=70))
    shown = strata("run", "credit")
    assert shown.code == 1
    assert "train: no memory" in shown.err
    assert "strata run credit --resume 01RUN --stack demo-dev" in shown.err


def test_a_busy_pipeline_says_what_mlstep_says(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """A failure before the first event is told in the words of the run-time plane."""
    said = "mlstep run: credit is running since 10:00 (process 7)\n  remedy: wait for it\n"
    mlstep.answers(answer("run", stderr=said, code=75))
    shown = strata("run", "credit")
    assert shown.code == 75
    assert " why  credit is running since 10:00 (process 7)\n do   wait for it" in shown.err


def test_a_run_refuses_contradictions(strata: Strata, platform: Path, mlstep: FakeProgram, tmp_path: Path) -> None:
    """Unknown pipelines, missing files, and other data for an old run never reach the run-time plane."""
    assert "did you mean credit?" in strata("run", "credi").err
    assert "no such file" in strata("run", "credit", "--data", str(tmp_path / "none.csv")).err
    assert "as it was begun" in strata("run", "credit", "--resume", "01", "--until", "split").err
    assert mlstep.calls == []


def test_a_missing_run_time_environment_is_named(strata: Strata, platform: Path) -> None:
    """Without the environment the command that makes it is given."""
    shown = strata("trace", "01X")
    assert "the run-time environment is not installed" in shown.err
    assert "run `make up`" in shown.err


PROMOTED = {"model": "credit", "version": 3, "model_digest": "ab" * 32, "by": "r.holm@demo.example"}


def test_rollback_and_trace_pass_on(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """Rollback shows who answers now; a broken link in a trace keeps its exit code."""
    mlstep.answers(answer("rollback", json_output=PROMOTED), answer("trace", stdout="✗ model broken\n", code=3))
    assert "credit v3  sha256 abababababab…  by r.holm" in strata("rollback", "credit", "--reason", "x").out
    shown = strata("trace", "01X")
    assert (shown.code, shown.out) == (3, "✗ model broken\n")


def test_a_traceback_of_mlstep_is_its_last_line(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """A defect of the run-time plane is one line here."""
    mlstep.answers(answer("rollback", stderr="Traceback (most recent call last):\n  File x\nKeyError: 'a'\n", code=1))
    shown = strata("rollback", "credit")
    assert "KeyError: 'a'" in shown.err
    assert "Traceback" not in shown.err


def test_no_answer_is_a_failure(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """Standard output that is no JSON is not taken for an answer."""
    mlstep.answers(answer("rollback", stdout="all good"))
    assert "gave no JSON answer" in strata("rollback", "credit").err


def test_the_drift_demo_as_json(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """Each line of the demonstration is one entry of the result, and its exit code stays."""
    mlstep.answers(answer("drift", stdout=lines({"event": "sent"}, {"event": "timeout"}), code=1))
    shown = strata("drift", "demo", "--json")
    assert shown.code == 1
    assert [event["event"] for event in shown.json["events"]] == ["sent", "timeout"]


def test_a_proposed_contract_names_the_next_command(strata: Strata, mlstep: FakeProgram, tmp_path: Path) -> None:
    """The file is proposed beside the data, and the command that uses both is shown."""
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n1,2\n", encoding="utf-8")
    mlstep.answers(answer("new-contract", stdout="path: 2 columns\n  feature  a\nlast\n"))
    shown = strata("new-contract", str(rows), "--target", "b")
    assert shown.code == 0
    assert f"make up DATA={rows} CONTRACT={tmp_path / 'rows.odcs.yaml'}" in shown.out
    assert "feature  a" in shown.out
    assert strata("new-contract", str(tmp_path / "none.csv"), "--target", "b").code == 2


@pytest.mark.parametrize(
    ("done", "total", "shown"),
    [(0, 4, "░" * 10), (2, 4, "█" * 5 + "░" * 5), (9, 4, "█" * 10), (1, 0, ""), (None, 3, "")],
)
def test_a_bar_says_how_far(done: int | None, total: int, shown: str) -> None:
    """A bar is never longer than itself, and absent where a step does not say."""
    assert bar(done, total) == shown


def test_a_rollback_as_json_is_what_was_said(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """The answer of the run-time plane reaches scripts unchanged."""
    mlstep.answers(answer("rollback", json_output=PROMOTED))
    assert json.loads(strata("rollback", "credit", "--json").out) == PROMOTED
