"""`mlstep promote`: verify a signed statement and everything behind it, then append to the champion's history."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlstep import history, platform, statement
from mlstep.canonical import now, pretty
from mlstep.errors import ConfigError, RefusedError
from mlstep.history import Entry
from mlstep.platform import Platform
from mlstep.statement import SignedStatement
from mlstep_promote import alias
from mlstep_promote.candidate import (
    Candidate,
    find,
    refuse_unless_compared,
    refuse_unless_sound,
    refuse_while_alerts_forbid,
)


def main(argv: list[str]) -> int:
    """Promote with a statement, or bring MLflow's alias in line with the history (`--repair`)."""
    parser = argparse.ArgumentParser(
        prog="mlstep promote", epilog="example: mlstep promote --root ROOT --statement FILE"
    )
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--statement", type=Path, help="a statement written by `mlstep sign`")
    choice.add_argument("--repair", metavar="MODEL", help="only bring MLflow's alias in line with the history")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    where = platform.load(options.root)
    if options.repair:
        entry = history.current(where, options.repair)
        if entry is None:
            raise ConfigError(
                f"{options.repair} has no champion",
                f"models with one: {', '.join(history.models(where.root)) or 'none'}",
            )
    else:
        entry = promote(where, statement.read(options.statement))
    tell(entry, alias.follow(where, entry), options.json)
    return 0


def promote(where: Platform, signed: SignedStatement) -> Entry:
    """Make the statement's bytes the champion; the same statement again, while it is in force, changes nothing.

    Raises:
        RefusedError: statement, candidate, reports or gate; all reasons of the first that fails.
        IntegrityError: the history does not verify.
    """
    words = signed.statement
    if words.kind != "promote":
        raise RefusedError(f"this statement is for a {words.kind}", "sign a promotion with `strata sign`")
    statement.verify(signed, where.signers(), where.environment, now())
    candidate = find(where, words.model, words.version)
    _refuse_other_words(signed, candidate)
    refuse_unless_sound(where, candidate, "promotion")
    with history.locked(_lock_file(where, words.model)):
        entries = history.read(where, words.model)
        if entries and entries[-1].statement == signed.digest:
            return entries[-1]
        if any(entry.statement == signed.digest for entry in entries):
            raise RefusedError(
                "this statement was used before, and its promotion is no longer in force",
                "sign again: a statement counts once",
            )
        refuse_unless_compared(where, candidate)
        refuse_while_alerts_forbid(where, candidate)
        statement.write(signed, where.root)
        return history.append(where, _draft(signed, candidate))


def tell(entry: Entry, followed: alias.Followed, as_json: bool) -> None:
    """Print what changed, and whether MLflow's alias followed."""
    content: dict[str, Any] = {**asdict(entry), "alias": asdict(followed)}
    if as_json:
        print(pretty(content), end="")
        return
    who = f"{entry.kind} by {entry.by}: {entry.reason}"
    print(f"champion   {entry.model} v{entry.version}  sha256 {entry.model_digest[:12]}  {who}")
    if followed.state != "in line":
        print(f"warning    MLflow's alias is behind: {followed.detail}")
        print(f"           mend it with: mlstep promote --repair {entry.model} --root ROOT")


def _lock_file(where: Platform, model: str) -> Path:
    """What two promotions of one model wait for; the history's own lock covers the appending only."""
    file = history.path(where.root, model).with_name("promotion")
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _refuse_other_words(signed: SignedStatement, candidate: Candidate) -> None:
    words = signed.statement
    pairs = [
        ("model bytes", words.model_digest, candidate.digest),
        ("evidence", words.evidence_digest, candidate.evidence_digest),
        ("policy", words.policy_digest, candidate.policy_digest),
        ("author", words.author, candidate.author),
    ]
    reasons = [f"{what}: signed {said[:40]}, found {found[:40]}" for what, said, found in pairs if said != found]
    if reasons:
        raise RefusedError(
            f"the statement is not about {candidate.name} as it is now: " + "; ".join(reasons),
            "sign what is there now, if it deserves it",
        )


def _draft(signed: SignedStatement, candidate: Candidate) -> Entry:
    words = signed.statement
    return Entry(
        sequence=0,
        previous="",
        time="",
        model=words.model,
        version=words.version,
        model_digest=words.model_digest,
        kind="promote",
        by=words.approver,
        reason=words.reason,
        author=words.author,
        evidence_digest=words.evidence_digest,
        policy_digest=words.policy_digest,
        run=candidate.run,
        pipeline=candidate.pipeline,
        statement=signed.digest,
    )
