"""Secrets of a platform on one machine: files of mode 0600 that only the platform's own user reads."""

from __future__ import annotations

import sys

from stacks.commands.failure import Failure
from stacks.commands.ui import Screen
from stacks.problems import did_you_mean
from stacks.record import Record

PEOPLES_NAMES = {"mlflow": "audit.token"}
"""Names that people use: whoever looks into MLflow does it as `audit`, who reads everything and writes nothing."""


def names(record: Record) -> list[str]:
    """Return the names of all secrets.

    Raises:
        Failure: the platform has none, or this user may not look.
    """
    folder = record.root / "secrets"
    try:
        found = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise Failure(
            f"{record.stack_name} has no secrets to show", f"{folder}: {error.strerror}", "strata up"
        ) from None
    return found


def show(screen: Screen, record: Record, name: str) -> None:
    """Write one secret to the terminal; never to JSON, a file or a pipe, where it would stay.

    Raises:
        Failure: no such secret, or standard output is not a terminal.
    """
    if screen.as_json or not sys.stdout.isatty():
        path = record.root / "secrets"
        why = "standard output is not a terminal, so the secret would stay somewhere"
        raise Failure("the secret is not written", why, f"programs read the file below {path} themselves", exit_code=4)
    path = record.root / "secrets" / resolve(record, name)
    try:
        value = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Failure(f"{path} cannot be read", str(error.strerror), "run it as the platform's own user") from None
    screen.say(value)


def resolve(record: Record, name: str) -> str:
    """Return the file's name of a secret: the name itself, what people call it, or the only one that begins like it.

    Raises:
        Failure: none or several match.
    """
    known = names(record)
    if name in known:
        return name
    if name in PEOPLES_NAMES and PEOPLES_NAMES[name] in known:
        return PEOPLES_NAMES[name]
    beginning = [entry for entry in known if entry.startswith(name)]
    if len(beginning) == 1:
        return beginning[0]
    near = did_you_mean(name, known)
    remedy = f"did you mean {near}?" if near and not beginning else f"secrets: {', '.join(beginning or known)}"
    raise Failure(f"no secret {name}", "several begin like this" if beginning else "there is none", remedy, exit_code=2)
