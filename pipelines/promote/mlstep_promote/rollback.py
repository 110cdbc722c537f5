"""`mlstep rollback`: back to the bytes that answered before, at once and without MLflow."""

import argparse
import getpass
from dataclasses import replace
from pathlib import Path

from mlstep import history, platform, store
from mlstep.errors import RefusedError
from mlstep.history import Entry
from mlstep.platform import Platform
from mlstep_promote import alias
from mlstep_promote.promote import tell


def main(argv: list[str]) -> int:
    """Return to the former champion."""
    parser = argparse.ArgumentParser(
        prog="mlstep rollback", epilog='example: mlstep rollback credit --reason "drift" --root ROOT'
    )
    parser.add_argument("model")
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    parser.add_argument("--by", default=None, help="who decided; default: the current user")
    parser.add_argument("--reason", default="no reason given", help="kept in the history")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    where = platform.load(options.root)
    entry = roll_back(where, options.model, options.by or getpass.getuser(), options.reason)
    tell(entry, alias.follow(where, entry), options.json)
    return 0


def roll_back(where: Platform, model: str, by: str, reason: str) -> Entry:
    """Append a rollback to the bytes that answered before the champion's.

    No new statement is needed: those bytes were approved when they were promoted, and a stop switch must not wait for
    a signature.

    Raises:
        RefusedError: there is no former champion.
        IntegrityError: the history, or the former champion's bytes, do not verify.
    """
    former = history.previous(where, model)
    if former is None:
        known = ", ".join(history.models(where.root)) or "none"
        raise RefusedError(
            f"{model}: no former champion to return to",
            f"models with a history: {known}; the defined fallback answers when the service has no model",
        )
    store.verify(where.root, former.model_digest)
    return history.append(where, replace(former, kind="rollback", by=by, reason=reason, statement=None))
