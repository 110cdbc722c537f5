"""Options that every command has, written once."""

from __future__ import annotations

from typing import Annotated

import typer

StackOption = Annotated[
    str,
    typer.Option("--stack", "-s", envvar="STRATA_STACK", help="Stack: <workspace>-<environment>.", metavar="STACK"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write one JSON object to standard output.")]

DEFAULT_STACK = "demo-dev"
