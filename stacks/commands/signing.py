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


def summary(root: Path, model: str, version: str, signer: str) -> dict[str, Any]:
    """Return what would be signed: candidate, digests, gate, people.

    Raises:
        Failure: no such candidate, or this person may not sign it.
    """
    answer: dict[str, Any] = run_time.call(root, ["sign", model, version, "--as", signer, "--dry-run", "--json"])
    return answer


def summary_lines(found: dict[str, Any]) -> list[str]:
    """Return the summary as lines; nested parts are left to `--json`."""
    rows = [(key.replace("_", " "), str(value)) for key, value in found.items() if not isinstance(value, dict | list)]
    lines = table(rows)
    for key, value in found.items():
        if isinstance(value, dict):
            lines += [f" {key.replace('_', ' ')}", *table([(str(k), str(v)) for k, v in value.items()], indent=3)]
        elif isinstance(value, list) and value:
            lines += [f" {key.replace('_', ' ')}", *(f"   {entry}" for entry in value)]
    return lines


def sign_and_promote(root: Path, model: str, version: str, signer: str) -> dict[str, Any]:
    """Sign a candidate's digests and promote it with the signed statement.

    Raises:
        Failure: the signature or the promotion was refused; the reasons are those of the rule.
    """
    signed = run_time.call(root, ["sign", model, version, "--as", signer, "--yes", "--json"])
    promoted: dict[str, Any] = run_time.call(root, ["promote", "--statement", str(signed["statement"]), "--json"])
    return promoted


def promoted_text(promoted: dict[str, Any]) -> str:
    """Return what a promotion or rollback changed."""
    text = f"{promoted.get('model')} v{promoted.get('version')}"
    if promoted.get("by"):
        text += f"  by {promoted['by']}"
    if promoted.get("model_digest"):
        text += f"  sha256 {str(promoted['model_digest'])[:12]}…"
    return text
