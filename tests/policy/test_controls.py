"""Every control, through the interface by which the engine asks."""

import pytest

from tests.policy.cases import Case, case, cases, mutations
from tests.policy.harness import Pack

ALL = list(cases())


@pytest.mark.parametrize("wanted", ALL, ids=[f"{entry.control}: {entry.name}" for entry in ALL])
def test_fixture(pack: Pack, wanted: Case) -> None:
    """A fixture gets its verdict, says what was found, and makes no other control fire."""
    answer = pack.judge(wanted)
    assert answer.verdict(wanted.control) == wanted.verdict, answer.control(wanted.control)
    said = "\n".join([*answer.messages(wanted.control), *answer.control(wanted.control)["why"]])
    assert wanted.says in said
    expected = {wanted.control} if wanted.verdict == "fail" else set()
    assert answer.firing() == expected | wanted.also
    if wanted.hides:
        assert wanted.hides not in str(answer.report)
        assert wanted.hides not in "\n".join(found.message for found in answer.diagnostics)


@pytest.mark.parametrize("wanted", [entry for entry in ALL if entry.verdict == "fail"], ids=lambda entry: entry.name)
def test_message_of_a_violation(pack: Pack, wanted: Case) -> None:
    """A violation has the level of its environment and names control, resource, finding, requirement, remedy, page."""
    answer = pack.judge(wanted)
    assert wanted.level in answer.levels(wanted.control)
    message = next(text for text in answer.messages(wanted.control) if wanted.says in text)
    assert message.startswith(f"{wanted.control} (")
    for label in ("found:", "required:", "remedy:", f"docs/controls/{wanted.control}.md"):
        assert label in message
    assert (wanted.control in answer.report["blocking"]) == (wanted.level == "mandatory")


@pytest.mark.parametrize(
    "wanted", [entry for entry in ALL if entry.verdict == "undetermined"], ids=lambda entry: entry.name
)
def test_undetermined_is_visible_and_does_not_block(pack: Pack, wanted: Case) -> None:
    """A value that is not known yet gives an advisory line instead of silence, and a preview goes on."""
    answer = pack.judge(wanted)
    assert any("cannot be decided" in text for text in answer.messages(wanted.control))
    assert answer.levels(wanted.control) == {"advisory"}
    assert answer.report["summary"]["undetermined"] >= 1
    assert f"{answer.report['summary']['undetermined']} undetermined" in answer.report["line"]


def test_compliant_stack(pack: Pack) -> None:
    """The stack that all cases start from passes every control."""
    answer = pack.judge(case("", {}))
    assert answer.report["line"] == "10 controls, 10 pass, 0 not applicable, 0 undetermined"
    assert not answer.diagnostics


@pytest.mark.parametrize(
    "mutation", mutations(), ids=lambda entry: " ".join(f"{k}={v}" for k, v in entry["set"].items())
)
def test_mutation(pack: Pack, mutation: dict[str, object]) -> None:
    """One changed property makes exactly the expected control fire."""
    assert pack.judge(case("", mutation)).firing() == set(mutation["fires"])  # type: ignore[call-overload]
