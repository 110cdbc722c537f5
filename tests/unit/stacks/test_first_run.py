"""The first day: what `strata up` does until there is a champion, and what it says when there can be none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stacks import record
from stacks.commands import first_run, prediction, signing
from stacks.commands.failure import Failure
from stacks.commands.platform_files import Champion, metric_text
from stacks.commands.ui import Screen
from tests.unit.stacks.conftest import GOOD
from tests.unit.stacks.fakes import FakeProgram, answer, lines

DIGEST = "ab" * 32
CANDIDATE = {"model": "credit", "version": 1, "digest": DIGEST}
ENTRY = {
    "model": "credit",
    "version": 1,
    "model_digest": DIGEST,
    "by": "r.holm@demo.example",
    "pipeline": "credit",
    "run": "01RUN",
}


@pytest.fixture
def served(platform: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prediction service that answers with the candidate."""
    reply = {"score": 0.083, "request_id": "01J", "model_digest": DIGEST, "fallback": False}
    monkeypatch.setattr(prediction, "ask", lambda record, candidate: (reply, 0.004))


def write_history(platform: Path) -> None:
    """Make the candidate the champion, as `mlstep promote` does."""
    (platform / "champions" / "credit").mkdir(parents=True)
    (platform / "champions" / "credit" / "history.jsonl").write_text(json.dumps(ENTRY) + "\n", encoding="utf-8")
    result = platform / "runs" / "credit" / "01RUN" / "evaluate" / "result.json"
    result.parent.mkdir(parents=True, exist_ok=True)
    metrics = {"auc": 0.742, "auc_low": 0.735, "auc_high": 0.749}
    result.write_text(json.dumps({"metrics": metrics}), encoding="utf-8")


def answer_signing(mlstep: FakeProgram, *before: dict[str, Any]) -> None:
    """Answers of the run-time plane for signature and promotion."""
    mlstep.answers(*before, answer("sign", json_output={"statement": "/s"}), answer("promote", json_output=ENTRY))


def test_a_platform_with_a_champion_is_left_alone(
    platform: Path, mlstep: FakeProgram, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is trained twice; the champion is shown with its metric."""
    write_history(platform)
    found = first_run.ensure_champion(Screen(), record.load("demo-dev"), None)
    assert found is not None
    assert found.champions[0].version == 1
    assert mlstep.calls == []
    assert (
        "credit v1  signed by r.holm@demo.example (risk) demo key  AUC 0.742 [0.735, 0.749]" in capsys.readouterr().out
    )


def test_the_first_day(platform: Path, mlstep: FakeProgram, served: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a champion the pipeline runs, the demo signer signs, and the first answer is shown."""
    write_history(platform)
    history = platform / "champions" / "credit" / "history.jsonl"
    written = history.read_text(encoding="utf-8")
    history.write_text("", encoding="utf-8")
    events = lines({"type": "run-finished", "run": "01RUN", "state": "passed", "candidate": CANDIDATE, "seconds": 44})
    answer_signing(mlstep, answer("run", stdout=events))
    real = signing.sign_and_promote

    def promote(root: Path, model: str, version: str, signer: str) -> dict[str, Any]:
        history.write_text(written, encoding="utf-8")
        return real(root, model, version, signer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "sign_and_promote", promote)
        found = first_run.ensure_champion(Screen(), record.load("demo-dev"), None)
    assert found is not None
    assert found.request_id == "01J"
    shown = capsys.readouterr().out
    assert "POST /models/credit/predict -> 0.083 (request 01J)" in shown
    assert [call[0] for call in mlstep.calls] == ["run", "sign", "promote"]
    assert "r.holm@demo.example" in mlstep.calls[1]


@pytest.mark.parametrize(("state", "resumed"), [("crashed", True), ("stopped", True), ("failed", False)])
def test_an_interrupted_run_goes_on(platform: Path, mlstep: FakeProgram, state: str, resumed: bool) -> None:
    """A run that broke is resumed from its step; one that was judged and refused is run anew."""
    folder = platform / "runs" / "credit" / "01OLD"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"run": "01OLD", "state": state, "candidate": None}), encoding="utf-8")
    events = lines({"type": "run-finished", "run": "01OLD", "state": "failed", "seconds": 1, "reasons": ["gate: no"]})
    mlstep.answers(answer("run", stdout=events, code=1))
    with pytest.raises(Failure, match="gate: no") as caught:
        first_run.ensure_champion(Screen(), record.load("demo-dev"), None)
    assert caught.value.exit_code == 4
    assert ("--resume" in mlstep.calls[0]) is resumed


def test_a_signed_off_candidate_is_not_trained_again(platform: Path, mlstep: FakeProgram, served: None) -> None:
    """When only the signature is missing, only the signature is made up for."""
    folder = platform / "runs" / "credit" / "01OLD"
    folder.mkdir(parents=True)
    content = {"run": "01OLD", "state": "passed", "candidate": CANDIDATE}
    (folder / "run.json").write_text(json.dumps(content), encoding="utf-8")
    answer_signing(mlstep)
    with pytest.raises(StopIteration):  # the fake promotes nothing, so there is no champion to show
        first_run.ensure_champion(Screen(), record.load("demo-dev"), None)
    assert [call[0] for call in mlstep.calls] == ["sign", "promote"]


def test_only_a_demo_key_signs_without_a_person(workplace: Path, record_file: Path) -> None:
    """With a person's own key the command stops and says who has to sign."""
    key = "ed25519:" + "A" * 43 + "="
    record_file.write_text(GOOD.replace("key: demo", f"key: {key}"), encoding="utf-8")
    with pytest.raises(Failure, match="a person has to sign") as caught:
        first_run.demo_signer(record.load("demo-dev"))
    assert "--as risk" in caught.value.remedy[0]


def test_rows_and_contract_belong_together(tmp_path: Path) -> None:
    """One without the other is refused; so is a file that is not there."""
    rows = tmp_path / "rows.csv"
    rows.write_text("a\n1\n", encoding="utf-8")
    assert first_run.rows_of_the_user(None, None) is None
    with pytest.raises(Failure, match="strata new-contract"):
        first_run.rows_of_the_user(rows, None)
    with pytest.raises(Failure, match="no such file"):
        first_run.rows_of_the_user(rows, tmp_path / "none.yaml")


def test_an_ordinary_row_is_the_median_of_training(tmp_path: Path) -> None:
    """Numbers are medians, categories the commonest, booleans booleans."""
    columns = {
        "income": {"edges": [10.0, 20.0, 30.0], "counts": [1, 1, 1, 1], "mean": 20.0},
        "region": {"categories": ["east", "west"], "counts": [3, 9, 0]},
        "homeowner": {"categories": ["false", "true"], "counts": [2, 1, 0]},
    }
    kinds = {"income": "number", "region": "category", "homeowner": "boolean"}
    features = [{"name": name, "kind": kind} for name, kind in kinds.items()]
    (tmp_path / "profile.json").write_text(json.dumps({"features": columns}), encoding="utf-8")
    (tmp_path / "model.json").write_text(json.dumps({"features": features}), encoding="utf-8")
    assert prediction.ordinary_row(tmp_path) == {"income": 20.0, "region": "west", "homeowner": False}


def test_a_champion_without_metrics_is_still_named() -> None:
    """What was not measured is left out, not made up."""
    assert metric_text({"accuracy": 0.9}) == ""
    assert metric_text({"auc": 0.75}) == "AUC 0.750"
    champion = Champion("credit", 2, DIGEST, "a@b.example", "", demo_key=False)
    assert champion.sentence() == "credit v2  signed by a@b.example"
