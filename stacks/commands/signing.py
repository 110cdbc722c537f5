"""Approve a candidate: show what would be signed, sign its digests, promote with the signed statement."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from stacks.commands import run_time
from stacks.commands.failure import Failure
from stacks.commands.ui import Screen, table


def number(version: str) -> str:
    """Return a version as a number: `v3` and `3` are the same.

    Raises:
        Failure: it is not a version.
    """
    text = version.removeprefix("v")
    if not text.isdigit() or int(text) < 1:
        raise Failure(f"{version} is not a version", remedy="write for example v3", exit_code=2)
    return text


def confirmed(screen: Screen, model: str, version: str) -> bool:
    """Ask whether to sign.

    Raises:
        Failure: nobody can be asked.
    """
    if screen.as_json or not sys.stdin.isatty():
        raise Failure("nobody to ask whether to sign", remedy="read the summary, then add --yes", exit_code=2)
    return typer.confirm(f"Sign {model} v{version}?")


def show_summary(screen: Screen, root: Path, model: str, version: str, signer: str) -> None:
    """Show what would be signed: candidate, digests, gate, champion, people.

    Raises:
        Failure: no such candidate, or this person may not sign it.
    """
    command = ["sign", model, version, "--as", signer, "--dry-run"]
    found = run_time.call(root, [*command, "--json"])
    gate, champion = found["gate"], found["champion"]
    answering = f"v{champion['version']}  sha256 {champion['model_digest'][:12]}…" if champion else "none yet"
    rows = [
        ("candidate", f"{model} v{version}  sha256 {found['model_digest'][:12]}…  trained by {found['author']}"),
        ("gate", f"{gate['decision']} {gate['passed']}/{gate['rules']}"),
        ("champion", answering),
        ("approver", f"{found['approver']} ({found['role']}) for {found['environment']}"),
        ("signed are", f"evidence {found['evidence_digest'][:12]}…  policy {found['policy_digest'][:12]}…"),
    ]
    screen.say("\n".join(table(rows)))


def sign_and_promote(root: Path, model: str, version: str, signer: str, reason: str = "") -> dict[str, Any]:
    """Sign a candidate's digests and promote it with the signed statement.

    Raises:
        Failure: the signature or the promotion was refused; the reasons are those of the rule.
    """
    why = ["--reason", reason] if reason else []
    signed = run_time.call(root, ["sign", model, version, "--as", signer, *why, "--json"])
    promoted: dict[str, Any] = run_time.call(root, ["promote", "--statement", str(signed["statement"]), "--json"])
    return promoted


def tell(screen: Screen, label: str, entry: dict[str, Any], seconds: float | None = None) -> None:
    """Show a change of champion, and whether MLflow's alias followed."""
    text = f"{entry['model']} v{entry['version']}  sha256 {entry['model_digest'][:12]}…  by {entry['by']}"
    screen.done(label, text, seconds)
    alias = entry.get("alias") or {}
    if alias.get("state") == "behind":
        screen.done("MLflow's alias", f"is behind: {alias.get('detail')}", warn=True)
