"""`strata sign`: shown, asked, signed, promoted; refusals stay refusals."""

from __future__ import annotations

from pathlib import Path

from tests.unit.stacks.conftest import Strata
from tests.unit.stacks.fakes import FakeProgram, answer

SUMMARY = {
    "model_digest": "ab" * 32,
    "author": "j.ek",
    "approver": "r.holm@demo.example",
    "role": "risk",
    "environment": "dev",
    "gate": {"decision": "pass", "passed": 14, "rules": 14},
    "champion": None,
    "evidence_digest": "cd" * 32,
    "policy_digest": "ef" * 32,
}
PROMOTED = {"model": "credit", "version": 3, "model_digest": "ab" * 32, "by": "r.holm@demo.example"}


def test_signing_shows_signs_and_promotes(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """What is signed is shown first; the statement that was written is the one that promotes."""
    mlstep.answers(
        answer("sign", "--dry-run", json_output=SUMMARY),
        answer("sign", json_output=SUMMARY | {"statement": "/s.json"}),
        answer("promote", json_output=PROMOTED | {"alias": {"state": "behind", "detail": "no answer"}}),
    )
    shown = strata("sign", "credit", "v3", "--as", "risk", "--yes", "--reason", "better")
    assert shown.code == 0
    assert "pass 14/14" in shown.out
    assert "is behind: no answer" in shown.out
    root = ["--root", str(platform)]
    assert mlstep.calls[1] == ["sign", "credit", "3", "--as", "risk", "--reason", "better", "--json", *root]
    assert mlstep.calls[2] == ["promote", "--statement", "/s.json", "--json", *root]


def test_signing_needs_somebody_to_ask(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """Without a terminal and without --yes nothing is signed."""
    mlstep.answers(answer("sign", "--dry-run", json_output=SUMMARY))
    shown = strata("sign", "credit", "3", "--as", "risk", "--json")
    assert shown.code == 2
    assert [call[0] for call in mlstep.calls] == ["sign"]
    assert "--dry-run" in mlstep.calls[0]
    assert strata("sign", "credit", "new", "--as", "risk").code == 2


def test_a_refused_signature_keeps_its_exit_code(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """The reason of the rule and its code reach the person."""
    mlstep.answers(answer("sign", stderr="mlstep sign: o.lind trained credit v3 and cannot approve it\n", code=4))
    shown = strata("sign", "credit", "3", "--as", "owner", "--yes")
    assert shown.code == 4
    assert "o.lind trained credit v3 and cannot approve it" in shown.err
