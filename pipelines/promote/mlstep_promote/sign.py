"""`mlstep sign`: a registered signer, who is not the author, signs the digests of a candidate."""

import argparse
from datetime import timedelta
from pathlib import Path
from typing import Any

from mlstep import history, platform, statement
from mlstep.canonical import iso, now, pretty
from mlstep.errors import ConfigError, RefusedError
from mlstep.evidence.gate import counts
from mlstep.platform import Platform
from mlstep.statement import SignedStatement, Statement
from mlstep_promote.candidate import (
    Candidate,
    find,
    refuse_unless_compared,
    refuse_unless_sound,
    refuse_while_alerts_forbid,
)

VALID_DAYS = 14


def main(argv: list[str]) -> int:
    """Show what would be signed (`--dry-run`), or sign it and print where the statement is."""
    parser = argparse.ArgumentParser(prog="mlstep sign", epilog="example: mlstep sign credit 3 --as risk --root ROOT")
    parser.add_argument("model")
    parser.add_argument("version", help="3 or v3")
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    parser.add_argument("--as", dest="who", required=True, metavar="NAME_OR_ROLE", help="a registered signer")
    parser.add_argument("--key", type=Path, help="private key file; default: the platform's own key of a demo signer")
    parser.add_argument("--reason", default="", help="kept in the statement and the history")
    parser.add_argument("--valid-days", type=int, default=VALID_DAYS, help=f"default {VALID_DAYS}")
    parser.add_argument("--dry-run", action="store_true", help="show what would be signed and stop")
    parser.add_argument(
        "--yes", action="store_true", help="kept for symmetry: this command never asks, `strata sign` does"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    where = platform.load(options.root)
    candidate = find(where, options.model, version_number(options.version))
    signer = choose_signer(where, options.who)
    content = summary(where, candidate, signer)
    if not options.dry_run:
        signed = make(where, candidate, signer, options.key, options.reason, options.valid_days)
        path = statement.write(signed, where.root)
        content |= {"statement": str(path), "statement_digest": signed.digest, "expires": signed.statement.expires}
    print(pretty(content), end="") if options.json else print(render(content))
    return 0


def version_number(text: str) -> int:
    """`v3` and `3` are version 3.

    Raises:
        ConfigError: neither.
    """
    number = text.removeprefix("v")
    if not number.isdigit() or int(number) < 1:
        raise ConfigError(f"version {text!r} is not a version", "write 3 or v3")
    return int(number)


def choose_signer(where: Platform, who: str) -> dict[str, Any]:
    """The registered signer of a name, or the only one of a role.

    Raises:
        RefusedError: nobody, or several of that role.
    """
    signers = where.signers()
    named = [entry for entry in signers if entry["name"] == who] or [entry for entry in signers if entry["role"] == who]
    if len(named) == 1:
        return named[0]
    known = ", ".join(f"{entry['name']} ({entry['role']})" for entry in signers) or "nobody"
    what = (
        f"several signers are registered as {who}"
        if named
        else f"{who} is neither a registered signer nor a role of one"
    )
    raise RefusedError(what, f"registered: {known}; signers stand in the record")


def make(
    where: Platform, candidate: Candidate, signer: dict[str, Any], key: Path | None, reason: str, valid_days: int
) -> SignedStatement:
    """Sign a candidate's digests, after checking everything behind them.

    Raises:
        RefusedError: the signer is the author, or anything speaks against the candidate.
        ConfigError: no key to sign with.
    """
    if signer["name"] == candidate.author:
        raise RefusedError(
            f"{signer['name']} trained {candidate.name} and cannot approve it", "another registered signer has to sign"
        )
    refuse_unless_sound(where, candidate, "signature")
    refuse_unless_compared(where, candidate)
    refuse_while_alerts_forbid(where, candidate)
    key_file = key or (Path(signer["key_file"]) if signer.get("key_file") else None)
    if key_file is None:
        raise ConfigError(f"{signer['name']} keeps the private key in person", "give it with --key FILE")
    moment = now()
    unsigned = Statement(
        kind="promote",
        model=candidate.model,
        version=candidate.version,
        model_digest=candidate.digest,
        evidence_digest=candidate.evidence_digest,
        policy_digest=candidate.policy_digest,
        author=candidate.author,
        approver=signer["name"],
        role=signer["role"],
        environment=where.environment,
        issued=iso(moment),
        expires=iso(moment + timedelta(days=valid_days)),
        reason=reason or f"gate passed {'/'.join(map(str, counts(candidate.evidence)))}",
    )
    signed = statement.sign(unsigned, key_file)
    statement.verify(signed, where.signers(), where.environment, moment)
    return signed


def summary(where: Platform, candidate: Candidate, signer: dict[str, Any]) -> dict[str, Any]:
    """What a signer should see before signing."""
    champion = history.current(where, candidate.model)
    passed, total = counts(candidate.evidence) if candidate.evidence else (0, 0)
    return {
        "model": candidate.model,
        "version": candidate.version,
        "model_digest": candidate.digest,
        "author": candidate.author,
        "approver": signer["name"],
        "role": signer["role"],
        "demo_key": bool(signer.get("demo")),
        "environment": where.environment,
        "pipeline": candidate.pipeline,
        "run": candidate.run,
        "gate": {"decision": candidate.evidence.get("decision", "absent"), "passed": passed, "rules": total},
        "rules": candidate.evidence.get("rules", []),
        "evidence_digest": candidate.evidence_digest,
        "policy_digest": candidate.policy_digest,
        "champion": None
        if champion is None
        else {"version": champion.version, "model_digest": champion.model_digest, "since": champion.time},
    }


def render(content: dict[str, Any]) -> str:
    """The summary for people."""
    gate, champion = content["gate"], content["champion"]
    now_answering = (
        "none"
        if champion is None
        else f"v{champion['version']}  sha256 {champion['model_digest'][:12]}  since {champion['since'][:10]}"
    )
    name, key = f"{content['model']} v{content['version']}", ", demo key" if content["demo_key"] else ""
    digests = f"evidence {content['evidence_digest'][:12]}  policy {content['policy_digest'][:12]}"
    lines = [
        f"candidate  {name}  sha256 {content['model_digest'][:12]}  trained by {content['author']}",
        f"gate       {gate['decision']} {gate['passed']}/{gate['rules']}  {digests}",
        f"champion   {now_answering}",
        f"approver   {content['approver']} ({content['role']}{key}) for {content['environment']}",
    ]
    if "statement" in content:
        lines.append(f"statement  {content['statement']}  valid until {content['expires'][:10]}")
    return "\n".join(lines)
