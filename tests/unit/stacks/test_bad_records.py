"""Every kind of wrong record gives one message with line, key, what was found and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.problems import render
from stacks.record import check
from tests.unit.stacks.bad_records import CHANGES
from tests.unit.stacks.conftest import GOOD


@pytest.mark.parametrize(("old", "new", "line", "key", "words"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_one_wrong_thing_gives_one_problem(
    record_file: Path, repository: Path, old: str, new: str, line: int, key: str, words: str
) -> None:
    """One wrong thing in a good record is one problem, at its line and key, with the remedy."""
    text = GOOD if "leads the workspace" not in words else GOOD.replace("stage: 4", "stage: 3")
    assert old in text
    record_file.write_text(text.replace(old, new, 1), encoding="utf-8")
    problems = check(record_file, repository)
    message = render("demo.yaml", problems)
    assert [(problem.line, problem.key) for problem in problems] == [(line, key)], message
    assert " ".join(words.split()) in " ".join(message.split())


def test_a_target_to_come_says_so(record_file: Path, repository: Path) -> None:
    """A target of the design that is not built yet is named as such, and demo keys are refused with it."""
    record_file.write_text(GOOD.replace("target: local", "target: azure"), encoding="utf-8")
    message = render("demo.yaml", check(record_file, repository))
    assert "target          azure is not yet available  write local: it is the only target so far" in message
    assert "signers[0].key  demo on target azure        write ed25519:<base64 of 32 bytes>" in message


def test_all_problems_are_in_one_message(record_file: Path, repository: Path) -> None:
    """Wrong shape, rules between keys and missing files are told together, in the order of the file."""
    text = (
        GOOD.replace("stage: 4", "stage: 9")
        .replace("r.holm@demo", "o.lind@demo")
        .replace("applications.odcs", "nothing.odcs")
    )
    record_file.write_text(text.replace("interval_seconds", "interval_secs"), encoding="utf-8")
    problems = check(record_file, repository)
    assert [problem.key for problem in problems] == [
        "stage",
        "use_case.risk_approver",
        "signers[0].name",
        "data[0].contract",
        "monitoring.interval_secs",
    ]
    assert render("demo.yaml", problems).startswith("demo.yaml: 5 problems\n")
