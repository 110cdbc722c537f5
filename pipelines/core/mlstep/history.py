"""The champion's history: one signed, hash-chained line per change. The truth about who answers.

`champions/<model>/history.jsonl`; each line names the digest of the line before, so a line cannot be changed,
removed from the middle or inserted, and is signed with the promote identity's key, so nobody else can append.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mlstep.canonical import digest_bytes, dumps, iso, now
from mlstep.errors import IntegrityError
from mlstep.platform import Platform
from mlstep.statement import sign_bytes, verify_bytes

FIRST = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One change of a champion.

    Attributes:
        sequence: 1, 2, 3 …
        previous: digest of the line before, 64 zeros for the first.
        kind: promote or rollback.
        by: the person who decided.
        statement: digest of the signed statement behind it; None for a rollback without one.
        signature: the promote key's, over all other fields.
    """

    sequence: int
    previous: str
    time: str
    model: str
    version: int
    model_digest: str
    kind: str
    by: str
    reason: str
    author: str
    evidence_digest: str
    policy_digest: str
    run: str
    pipeline: str
    statement: str | None
    signature: str = ""

    @property
    def line(self) -> str:
        """The line as it stands in the file."""
        return dumps(asdict(self))

    @property
    def digest(self) -> str:
        """SHA-256 of the line."""
        return digest_bytes(self.line.encode())

    def unsigned_bytes(self) -> bytes:
        """What the promote key signs."""
        content = asdict(self)
        del content["signature"]
        return dumps(content).encode()


def path(root: Path, model: str) -> Path:
    """The history file of a model."""
    return root / "champions" / model / "history.jsonl"


def models(root: Path) -> list[str]:
    """Models that have a history, sorted."""
    return sorted(file.parent.name for file in (root / "champions").glob("*/history.jsonl"))


def read(platform: Platform, model: str) -> list[Entry]:
    """Every entry, oldest first, after verifying chain, sequence and signatures.

    Raises:
        IntegrityError: any line does not verify; names the first such line.
    """
    file = path(platform.root, model)
    if not file.is_file():
        return []
    public_key = platform.stage("foundation")["promote_key"]["public_key"]
    entries: list[Entry] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        entry = _parse(file, number, line)
        _check(file, number, entry, entries[-1] if entries else None, model, public_key)
        entries.append(entry)
    return entries


def current(platform: Platform, model: str) -> Entry | None:
    """The entry of the champion that answers now, or None.

    Raises:
        IntegrityError: the history does not verify.
    """
    entries = read(platform, model)
    return entries[-1] if entries else None


def previous(platform: Platform, model: str) -> Entry | None:
    """The last entry that answered with other bytes than the champion's, or None: what a rollback returns to."""
    entries = read(platform, model)
    if not entries:
        return None
    return next((entry for entry in reversed(entries) if entry.model_digest != entries[-1].model_digest), None)


def append(platform: Platform, draft: Entry) -> Entry:
    """Chain, sign and append one entry; `sequence`, `previous`, `time` and `signature` of the draft are set here.

    Raises:
        IntegrityError: the history so far does not verify; nothing is written.
        ConfigError: the promote key cannot be read.
    """
    file = path(platform.root, draft.model)
    file.parent.mkdir(parents=True, exist_ok=True)
    with locked(file):
        entries = read(platform, draft.model)
        last = entries[-1] if entries else None
        entry = replace(
            draft, sequence=len(entries) + 1, previous=last.digest if last else FIRST, time=iso(now()), signature=""
        )
        key_file = Path(platform.stage("foundation")["promote_key"]["key_file"])
        entry = replace(entry, signature=sign_bytes(entry.unsigned_bytes(), key_file))
        _append_line(file, entry.line)
    return entry


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the model's promotion lock, so that two promotions follow each other."""
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _append_line(file: Path, line: str) -> None:
    # One write of a whole line, then a flush; a torn line after a full disk is cut off again.
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        size = os.fstat(handle).st_size
        data = (line + "\n").encode()
        try:
            if os.write(handle, data) != len(data):
                raise OSError(28, "No space left on device", str(file))
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)


def _parse(file: Path, number: int, line: str) -> Entry:
    try:
        content: dict[str, Any] = json.loads(line)
        return Entry(**content)
    except (ValueError, TypeError) as error:
        raise IntegrityError(
            f"{file}:{number}: not a history entry ({error})", "restore the file from a backup"
        ) from None


def _check(file: Path, number: int, entry: Entry, last: Entry | None, model: str, public_key: str) -> None:
    problems = []
    if entry.sequence != number:
        problems.append(f"sequence {entry.sequence}, expected {number}")
    if entry.previous != (last.digest if last else FIRST):
        problems.append("does not follow the line before: one of them was changed, removed or inserted")
    if entry.model != model:
        problems.append(f"is about model {entry.model}, not {model}")
    if not verify_bytes(entry.unsigned_bytes(), entry.signature, public_key):
        problems.append("the promote key did not sign it")
    if problems:
        raise IntegrityError(
            f"{file}:{number}: " + "; ".join(problems),
            "restore the file from a backup; the service keeps the champion it has",
        )
