"""Nothing is promoted that anything speaks against, and the reason is said."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlstep import history, statement, store
from mlstep.errors import RefusedError, StrataError
from mlstep.platform import Platform
from mlstep.statement import SignedStatement
from mlstep_promote import sign
from mlstep_promote.candidate import find
from mlstep_promote.promote import promote
from tests.unit.framework.conftest import make_key
from tests.unit.promote.conftest import AUTHOR, Made, make_run


def signed(where: Platform, version: int = 1) -> SignedStatement:
    """The candidate, signed by the risk signer."""
    return sign.make(where, find(where, "credit", version), where.signers()[0], None, "", 14)


def refused(where: Platform, words: SignedStatement) -> str:
    """The refusal of a promotion, after making sure that nothing was promoted."""
    with pytest.raises(StrataError) as refusal:
        promote(where, words)
    assert history.current(where, "credit") is None
    return str(refusal.value)


def test_sound_candidate_is_promoted(where: Platform) -> None:
    """With everything in order the history names the model's bytes and who decided."""
    made = make_run(where)
    entry = promote(where, signed(where))
    assert history.current(where, "credit") == entry
    assert (entry.model_digest, entry.by, entry.author) == (made.digest, "risk@demo.example", AUTHOR)


def test_same_statement_again_changes_nothing(where: Platform) -> None:
    """Repeating a promotion that is in force is no second entry."""
    make_run(where)
    words = signed(where)
    assert promote(where, words) == promote(where, words)
    assert len(history.read(where, "credit")) == 1


def test_statement_counts_once(where: Platform) -> None:
    """After another promotion, an old statement does not bring its model back."""
    make_run(where)
    first = signed(where)
    promote(where, first)
    make_run(where, version=2, run="02RUN")
    promote(where, signed(where, 2))
    with pytest.raises(RefusedError, match="counts once"):
        promote(where, first)
    assert len(history.read(where, "credit")) == 2


@pytest.mark.parametrize("step", ["validate", "pii", "evaluate", "fairness", "plausibility"])
@pytest.mark.parametrize("state", ["fail", "absent"])
def test_red_or_missing_report_cannot_be_signed(where: Platform, step: str, state: str) -> None:
    """A red or missing report stops the signature, whatever the gate said, and the step is named."""
    make_run(where, 1, "01RUN", **{step: state})
    with pytest.raises(RefusedError, match=f"{step}: (failed|its report is missing)"):
        signed(where)


@pytest.mark.parametrize("state", ["fail", "absent"])
def test_without_a_passing_gate_nothing_is_signed(where: Platform, state: str) -> None:
    """A red gate and a gate that did not run are both refused."""
    make_run(where, gate=state)
    with pytest.raises(RefusedError, match="gate: "):
        signed(where)


def test_report_that_turned_red_after_the_signature(where: Platform) -> None:
    """Promotion checks everything again: a result changed after signing is found."""
    made = make_run(where)
    words = signed(where)
    path = made.folder / "fairness" / "result.json"
    made.break_file(path, path.read_text(encoding="utf-8").replace('"pass"', '"fail"'))
    assert "fairness: failed" in refused(where, words)


def test_changed_model_bytes(where: Platform) -> None:
    """Bytes edited in the store after signing are not promoted."""
    made = make_run(where)
    words = signed(where)
    made.break_file(store.folder(where.root, made.digest) / "model.json", "{}")
    assert "were changed" in refused(where, words)


@pytest.mark.parametrize("path", ["ingest/data/data.txt", "train/model/model.json", "gate/evidence/evidence.json"])
def test_any_changed_byte_of_the_run(where: Platform, path: str) -> None:
    """Data, model or evidence edited after signing break the chain."""
    made = make_run(where)
    words = signed(where)
    text = (made.folder / path).read_text(encoding="utf-8")
    made.break_file(made.folder / path, text + " ")
    assert "bytes differ" in refused(where, words)


def test_champion_that_changed_since_the_comparison(where: Platform) -> None:
    """A candidate judged against an older champion is not signed, and not promoted on an older signature."""
    make_run(where)
    make_run(where, version=2, run="02RUN")
    promote(where, signed(where))
    with pytest.raises(RefusedError, match="compared with no champion, and v1"):
        signed(where, 2)


def test_signature_outrun_by_another_promotion(where: Platform) -> None:
    """Two candidates signed side by side: after the first is promoted, the second has to be judged against it."""
    make_run(where)
    make_run(where, version=2, run="02RUN")
    words = signed(where, 2)
    promote(where, signed(where))
    with pytest.raises(RefusedError, match="answers now"):
        promote(where, words)
    assert len(history.read(where, "credit")) == 1


def test_forged_signature(where: Platform, tmp_path: Path) -> None:
    """A statement signed with a key that is not the signer's is refused."""
    make_run(where)
    _, key = make_key(tmp_path, "forger")
    words = statement.sign(signed(where).statement, Path(key))
    assert "another key" in refused(where, words)


def test_statement_about_other_bytes(where: Platform) -> None:
    """A true signature over another digest does not promote this candidate."""
    make_run(where)
    key = Path(where.signers()[0]["key_file"])
    other = statement.sign(replace(signed(where).statement, model_digest="f" * 64), key)
    assert "model bytes: signed ffff" in refused(where, other)


def test_author_cannot_sign(where: Platform) -> None:
    """Whoever trained the model is refused as its approver, by name."""
    make_run(where)
    signer = {**where.signers()[0], "name": AUTHOR}
    with pytest.raises(RefusedError, match="cannot approve"):
        sign.make(where, find(where, "credit", 1), signer, None, "", 14)


@pytest.mark.parametrize("who", ["nobody@demo.example", "owner"])
def test_only_registered_signers_sign(where: Platform, who: str) -> None:
    """A name or role that the record does not register is refused, and the registered ones are listed."""
    with pytest.raises(RefusedError, match=r"risk@demo\.example \(risk\)"):
        sign.choose_signer(where, who)


def test_replay_in_another_environment(where: Platform) -> None:
    """A statement for dev promotes nothing in prod, though signer and bytes are the same."""
    make_run(where)
    words = signed(where)
    foundation = {**where.stage("foundation"), "environment": "prod"}
    prod = replace(where, stages={**where.stages, "foundation": foundation})
    assert "the statement is for dev, this platform is prod" in refused(prod, words)


def test_signer_who_was_struck_off(where: Platform) -> None:
    """A signature counts only while its signer is registered."""
    make_run(where)
    words = signed(where)
    nobody = replace(where, stages={**where.stages, "foundation": {**where.stage("foundation"), "signers": []}})
    assert "is not a registered signer" in refused(nobody, words)


def test_expired_statement(where: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its last day a statement promotes nothing."""
    make_run(where)
    monkeypatch.setenv("STRATA_NOW", datetime(2026, 1, 1, tzinfo=UTC).isoformat())
    words = signed(where)
    monkeypatch.setenv("STRATA_NOW", datetime(2026, 2, 1, tzinfo=UTC).isoformat())
    assert "expired" in refused(where, words)


def test_made_run_verifies(where: Platform) -> None:
    """The fixture is honest: an untouched run has no problem at all."""
    made: Made = make_run(where)
    from mlstep_promote.candidate import problems

    assert problems(where, find(where, "credit", 1)) == []
    assert made.folder.is_dir()
