"""Signed statements: a named person allows one model's bytes, on one evidence, in one environment, until a day."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from mlstep.canonical import digest_json, dumps, pretty, read_json, write_atomic
from mlstep.errors import ConfigError, RefusedError
from mlstep.platform import read_secret

STATEMENT_VERSION = 1


@dataclass(frozen=True)
class Statement:
    """What a person signs. Digests, not names, are what counts.

    Attributes:
        kind: promote, or rollback (to a digest that was champion before).
        evidence_digest: tree digest of the gate's evidence output.
        policy_digest: SHA-256 of the gate's policy file.
        author: who trained the candidate.
        approver: who signs; never the author.
        role: the approver's registered role.
        issued, expires: ISO 8601 in UTC.
    """

    kind: Literal["promote", "rollback"]
    model: str
    version: int
    model_digest: str
    evidence_digest: str
    policy_digest: str
    author: str
    approver: str
    role: str
    environment: str
    issued: str
    expires: str
    reason: str


@dataclass(frozen=True)
class SignedStatement:
    """A statement and its approver's Ed25519 signature, base64."""

    statement: Statement
    signature: str

    @property
    def digest(self) -> str:
        """SHA-256 of statement and signature; its name in the store of statements."""
        return digest_json(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """The file's content."""
        return {
            "statement_version": STATEMENT_VERSION,
            "statement": asdict(self.statement),
            "signature": self.signature,
        }


def sign(statement: Statement, key_file: Path) -> SignedStatement:
    """Sign a statement with a private key file (base64 of 32 raw bytes).

    Raises:
        ConfigError: the key file cannot be read or holds no key; never says what it holds.
    """
    return SignedStatement(statement, sign_bytes(_signed_bytes(statement), key_file))


def verify(signed: SignedStatement, signers: list[dict[str, Any]], environment: str, at: datetime) -> Mapping[str, Any]:
    """Check signature, signer, role, separation of duties, environment and expiry; return the signer.

    Raises:
        RefusedError: any of them is wrong; the message holds all reasons.
    """
    statement = signed.statement
    signer = next((entry for entry in signers if entry["name"] == statement.approver), None)
    reasons = []
    if signer is None:
        reasons.append(f"{statement.approver} is not a registered signer")
    elif not verify_bytes(_signed_bytes(statement), signed.signature, signer["public_key"]):
        reasons.append(
            f"the signature is not {statement.approver}'s: statement or signature were changed, or another key was used"
        )
    elif signer["role"] != statement.role:
        reasons.append(f"{statement.approver} is registered as {signer['role']}, not as {statement.role}")
    if statement.approver == statement.author:
        reasons.append(f"{statement.approver} trained this model and cannot approve it")
    if statement.environment != environment:
        reasons.append(f"the statement is for {statement.environment}, this platform is {environment}")
    if at >= datetime.fromisoformat(statement.expires):
        reasons.append(f"the statement expired on {statement.expires}")
    if at < datetime.fromisoformat(statement.issued):
        reasons.append(f"the statement is from the future ({statement.issued})")
    if reasons or signer is None:
        raise RefusedError(
            "statement refused: " + "; ".join(reasons),
            "sign again with `strata sign`, as a registered signer who is not the author",
        )
    return signer


def write(signed: SignedStatement, root: Path) -> Path:
    """Keep a statement under its digest in `champions/<model>/statements/`."""
    path = root / "champions" / signed.statement.model / "statements" / f"{signed.digest}.json"
    write_atomic(path, pretty(signed.as_json()))
    return path


def read(path: Path) -> SignedStatement:
    """Read a statement file.

    Raises:
        ConfigError: missing, of another version, or not a statement.
    """
    try:
        content = read_json(path)
        if content["statement_version"] != STATEMENT_VERSION:
            raise ValueError(f"statement_version {content['statement_version']}, expected {STATEMENT_VERSION}")
        return SignedStatement(Statement(**content["statement"]), content["signature"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is not a signed statement: {error}", "make one with `strata sign`") from None


def sign_bytes(data: bytes, key_file: Path) -> str:
    """Ed25519 signature of bytes, base64.

    Raises:
        ConfigError: the key file cannot be read or holds no key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(read_secret(key_file), validate=True))
    except ValueError:
        raise ConfigError(f"{key_file} holds no Ed25519 key", "expected base64 of 32 raw bytes") from None
    return base64.b64encode(key.sign(data)).decode()


def verify_bytes(data: bytes, signature: str, public_key: str) -> bool:
    """Whether an Ed25519 signature is right; a key or signature that cannot be parsed is not."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed_bytes(statement: Statement) -> bytes:
    return dumps({"statement_version": STATEMENT_VERSION, "statement": asdict(statement)}).encode()
