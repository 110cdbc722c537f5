"""The links from an answer to the people: the model's bytes, the champion's history, the statement, the author."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlstep import history, statement, store
from mlstep.errors import ConfigError, IntegrityError, RefusedError
from mlstep.evidence.links import Link, broken, judged, short
from mlstep.history import Entry
from mlstep.platform import Platform


@dataclass(frozen=True)
class Reign:
    """Which entry made a digest the champion when it answered, and which promotion first allowed its bytes."""

    entry: Entry
    promotion: Entry


def model(root: Path, record: dict[str, Any]) -> Link:
    """The bytes that answered: all of them hashed again."""
    digest, name = record["model_digest"], f"{record['model']} v{record['version']}"
    facts = {"model": record["model"], "version": record["version"], "model_digest": digest}
    try:
        path = store.verify(root, digest)
    except IntegrityError as error:
        return broken("model", f"{name}  {error.what}", **facts)
    return judged("model", f"{name}  sha256 {short(digest)}", {**facts, "path": str(path)}, [])


def champion(platform: Platform, record: dict[str, Any]) -> tuple[Link, Reign | None]:
    """The history's entry that was in force at the time of the answer, after verifying the whole history."""
    name = record["model"]
    try:
        entries = history.read(platform, name)
    except IntegrityError as error:
        return broken("champion", f"the history does not verify: {error.what}"), None
    reign = find_reign(entries, record["model_digest"], datetime.fromisoformat(record["time"]))
    if reign is None:
        return broken(
            "champion", f"the history never named {short(record['model_digest'])} champion of {name} before this answer"
        ), None
    entry = reign.entry
    problems = []
    if entry.version != record["version"]:
        problems.append(f"the history says version {entry.version}, the record {record['version']}")
    detail = f"since {entry.time[:10]} by {entry.by} ({entry.kind}: {entry.reason})"
    facts = {
        "sequence": entry.sequence,
        "since": entry.time,
        "by": entry.by,
        "kind": entry.kind,
        "reason": entry.reason,
        "entry_digest": entry.digest,
        "entries": len(entries),
    }
    return judged("champion", detail, facts, problems), reign


def find_reign(entries: Sequence[Entry], digest: str, at: datetime) -> Reign | None:
    """The last entry before a moment that named a digest, and the promotion behind it.

    A service notices a change of champion a moment later, so answers of the former champion shortly after a change are
    its own: the last entry of that digest counts, not the last entry of all.
    """
    ours = [entry for entry in entries if entry.model_digest == digest and datetime.fromisoformat(entry.time) <= at]
    promotions = [entry for entry in ours if entry.kind == "promote"]
    return Reign(ours[-1], promotions[-1]) if promotions else None


def approval(platform: Platform, reign: Reign) -> Link:
    """The signed statement that allowed these bytes, verified as on the day it was used."""
    entry = reign.promotion
    if entry.statement is None:
        return broken("statement", f"entry {entry.sequence} of the history names no statement")
    path = history.path(platform.root, entry.model).parent / "statements" / f"{entry.statement}.json"
    facts = {"statement": entry.statement, "path": str(path)}
    try:
        signed = statement.read(path)
        signer = statement.verify(signed, platform.signers(), platform.environment, datetime.fromisoformat(entry.time))
    except (ConfigError, RefusedError) as error:
        return broken("statement", error.what, **facts)
    said = signed.statement
    problems = [
        f"{name}: the statement says {getattr(said, name)}, the history {getattr(entry, name)}"
        for name in _SIGNED
        if getattr(said, name) != getattr(entry, name)
    ]
    if signed.digest != entry.statement:
        problems.append(f"the statement's digest is {short(signed.digest)}, the history names {short(entry.statement)}")
    if said.approver != entry.by:
        problems.append(f"the statement is by {said.approver}, the history names {entry.by}")
    demo = ", demo key" if signer["demo"] else ""
    detail = f"signed by {said.approver} ({said.role}{demo}) on {said.issued[:10]}  sha256 {short(signed.digest)}"
    return judged(
        "statement",
        detail,
        {
            **facts,
            "approver": said.approver,
            "role": said.role,
            "demo": bool(signer["demo"]),
            "issued": said.issued,
            "expires": said.expires,
        },
        problems,
    )


_SIGNED = ("model", "version", "model_digest", "evidence_digest", "policy_digest", "author")


def author(candidate: dict[str, Any] | None, problem: str | None, reign: Reign) -> Link:
    """Who trained it: the same name in the candidate, the statement and the history, and not the approver's."""
    entry = reign.promotion
    if candidate is None:
        return broken(
            "author", f"the run has no candidate of {entry.model} that could say who trained it", author=entry.author
        )
    problems = [] if problem is None else [problem]
    if candidate["author"] != entry.author:
        problems.append(f"the candidate says {candidate['author']}, the history {entry.author}")
    if candidate["digest"] != entry.model_digest:
        problems.append(
            f"the candidate has the bytes {short(candidate['digest'])}, the champion {short(entry.model_digest)}"
        )
    if entry.author == entry.by:
        problems.append(f"{entry.by} trained and approved")
    return judged(
        "author",
        f"trained by {entry.author}",
        {"author": entry.author, "mlflow_run_id": candidate.get("mlflow_run_id")},
        problems,
    )
