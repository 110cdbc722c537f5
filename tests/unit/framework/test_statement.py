"""A statement counts only when a registered signer, who is not the author, signed exactly these words."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlstep import statement as statements
from mlstep.errors import ConfigError, RefusedError
from mlstep.platform import Platform
from mlstep.statement import SignedStatement, Statement
from tests.unit.framework.conftest import make_key

AT = datetime(2026, 3, 1, tzinfo=UTC)
STATEMENT = Statement(
    kind="promote",
    model="credit",
    version=3,
    model_digest="a" * 64,
    evidence_digest="b" * 64,
    policy_digest="c" * 64,
    author="j.ek@demo.example",
    approver="risk@demo.example",
    role="risk",
    environment="dev",
    issued="2026-02-27T00:00:00Z",
    expires="2026-03-27T00:00:00Z",
    reason="better and fair",
)


def signed(platform: Platform, statement: Statement = STATEMENT) -> SignedStatement:
    """The statement, signed with the registered risk key."""
    return statements.sign(statement, Path(platform.signers()[0]["key_file"]))


def test_right_statement_verifies_after_a_round_trip(platform: Platform) -> None:
    """Written, read and verified, a right statement names its signer."""
    path = statements.write(signed(platform), platform.root)
    signer = statements.verify(statements.read(path), platform.signers(), "dev", AT)
    assert signer["name"] == "risk@demo.example"
    assert path.stem == signed(platform).digest


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_digest": "d" * 64}, "signature is not"),
        ({"evidence_digest": "d" * 64}, "signature is not"),
        ({"reason": "another"}, "signature is not"),
        ({"expires": "2036-01-01T00:00:00Z"}, "signature is not"),
    ],
)
def test_any_changed_word_breaks_the_signature(platform: Platform, change: dict[str, str], reason: str) -> None:
    """Changing a signed statement afterwards is refused."""
    forged = SignedStatement(replace(STATEMENT, **change), signed(platform).signature)  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match=reason):
        statements.verify(forged, platform.signers(), "dev", AT)


@pytest.mark.parametrize(
    ("change", "environment", "at", "reason"),
    [
        ({"author": "risk@demo.example"}, "dev", AT, "trained this model and cannot approve"),
        ({}, "prod", AT, "is for dev, this platform is prod"),
        ({}, "dev", datetime(2026, 4, 1, tzinfo=UTC), "expired on"),
        ({}, "dev", datetime(2026, 1, 1, tzinfo=UTC), "from the future"),
        ({"role": "owner"}, "dev", AT, "registered as risk, not as owner"),
        ({"approver": "nobody@demo.example"}, "dev", AT, "not a registered signer"),
    ],
)
def test_rightly_signed_but_wrong_is_refused(
    platform: Platform, change: dict[str, str], environment: str, at: datetime, reason: str
) -> None:
    """A true signature does not help a self-approval, another environment, a wrong time, role or person."""
    with pytest.raises(RefusedError, match=reason):
        statements.verify(signed(platform, replace(STATEMENT, **change)), platform.signers(), environment, at)  # type: ignore[arg-type]


def test_signature_of_another_key_is_refused(platform: Platform, tmp_path: Path) -> None:
    """Somebody else's key does not become the approver's by name."""
    _, key_file = make_key(tmp_path, "other")
    with pytest.raises(RefusedError, match="another key"):
        statements.verify(statements.sign(STATEMENT, Path(key_file)), platform.signers(), "dev", AT)


def test_all_reasons_come_in_one_message(platform: Platform) -> None:
    """Three things wrong are three reasons in one refusal."""
    wrong = signed(platform, replace(STATEMENT, author="risk@demo.example"))
    with pytest.raises(RefusedError) as refusal:
        statements.verify(wrong, platform.signers(), "prod", datetime(2027, 1, 1, tzinfo=UTC))
    assert str(refusal.value).count(";") == 2


def test_a_broken_key_file_never_shows_its_content(tmp_path: Path) -> None:
    """The error about a bad key file names the file, not what is in it."""
    file = tmp_path / "key"
    file.write_text("c2VjcmV0LXZhbHVl", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        statements.sign(STATEMENT, file)
    assert "c2VjcmV0" not in str(error.value)


def test_reading_something_else_is_a_clear_error(tmp_path: Path) -> None:
    """A file that is no statement says so and how to make one."""
    file = tmp_path / "x.json"
    file.write_text('{"statement_version": 9}', encoding="utf-8")
    with pytest.raises(ConfigError, match="strata sign"):
        statements.read(file)
