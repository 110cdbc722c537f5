"""The real pipeline says no: personal data and unfairness are found in rows that have them, and nothing is promoted."""

import json
import re
from pathlib import Path

import pytest

from tests.journey.conftest import REPOSITORY, STACK, Workspace

CONTRACT = REPOSITORY / "pipelines/credit/applications.odcs.yaml"


def history(workspace: Workspace) -> bytes:
    """The bytes of the champion's history."""
    return (workspace.root / "champions/credit/history.jsonl").read_bytes()


def run_on(workspace: Workspace, source: str) -> tuple[int, str]:
    """Exit code and output of a run on other rows."""
    arguments = ["--root", str(workspace.root), "--parameter", f"source={source}", "--author", "j.ek@demo.example"]
    done = workspace.mlstep("run", "credit", *arguments, check=False, timeout=600)
    return done.returncode, done.stdout + done.stderr


def test_personal_data_stops_the_pipeline_before_training(workspace: Workspace) -> None:
    """One row in two hundred with personal data in free text: the run stops, shows it masked, and trains nothing."""
    before = history(workspace)
    code, output = run_on(workspace, "synthetic:credit?rows=5000&seed=3&pii=0.005")
    assert code == 1
    assert re.search(r"pii +fail", output)
    run = max((workspace.root / "runs/credit").iterdir())
    assert not (run / "train" / "result.json").exists()
    report = (run / "pii" / "report" / "report.json").read_text(encoding="utf-8")
    assert "*" in report
    assert history(workspace) == before


def test_an_unfair_model_passes_no_gate_and_cannot_be_signed(workspace: Workspace) -> None:
    """Outcomes recorded unfairly for a group make the gate say no with group and interval; a signature is refused."""
    before = history(workspace)
    code, output = run_on(workspace, "synthetic:credit?rows=20000&seed=3&unfairness=1.5")
    assert code == 1
    assert re.search(r"gate +fail", output), output
    assert "fairness" in output
    run = max((workspace.root / "runs/credit").iterdir())
    candidate = json.loads((run / "register/candidate/candidate.json").read_text(encoding="utf-8"))
    signed = workspace.strata(
        "sign", "credit", f"v{candidate['version']}", "--as", "risk", "--yes", "--stack", STACK, check=False
    )
    assert signed.returncode != 0
    assert "fairness" in signed.stdout + signed.stderr
    assert history(workspace) == before


def test_rows_of_a_user_with_a_proposed_contract(workspace: Workspace, tmp_path: Path) -> None:
    """A CSV that nobody prepared: a contract is proposed, the run goes through every step under the data's own name."""
    from mlstep.data.synthetic import generate

    table = tmp_path / "loans.csv"
    generate(20_000, 5).drop("true_probability", strict=False).write_csv(table)
    contract = tmp_path / "loans.odcs.yaml"
    workspace.strata("new-contract", str(table), "--target", "defaulted", "--output", str(contract))
    before = history(workspace)
    arguments = ["--data", str(table), "--contract", str(contract), "--stack", STACK, "--json"]
    done = workspace.strata("run", "credit", *arguments, check=False, timeout=600)
    assert "Traceback" not in done.stdout + done.stderr
    assert "loans" in done.stdout, done.stdout + done.stderr
    assert history(workspace) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "nosuch", "--stack", STACK], "nosuch"),
        (["sign", "credit", "v99", "--as", "risk", "--yes", "--stack", STACK], "v99"),
        (["sign", "credit", "v1", "--as", "nobody", "--yes", "--stack", STACK], "nobody"),
        (["trace", "not-an-id", "--stack", STACK], "not-an-id"),
        (["status", "--stack", "nosuch-dev"], "nosuch"),
        (["run", "credit", "--data", "/nonexistent.csv", "--contract", str(CONTRACT), "--stack", STACK], "nonexistent"),
    ],
)
def test_wrong_input_is_one_clear_message(workspace: Workspace, arguments: list[str], says: str) -> None:
    """What was wrong is named, the exit code is not zero, and no traceback is shown."""
    done = workspace.strata(*arguments, check=False)
    assert done.returncode != 0
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
