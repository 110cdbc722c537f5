"""Colours: on a terminal, unless NO_COLOR says otherwise; never in a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

from stacks.record import REPOSITORY

COLOUR = re.compile(rb"\x1b\[(?:[0-9]+;)*3[0-7]m")
COMMAND = [sys.executable, "-m", "stacks.commands.main", "check"]


def on_a_terminal(variables: dict[str, str]) -> bytes:
    """What a command writes when its output is a terminal."""
    ours, theirs = pty.openpty()
    kept = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    environment = {**kept, "TERM": "xterm-256color", **variables}
    with subprocess.Popen(COMMAND, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=REPOSITORY):
        os.close(theirs)
        written = b""
        while chunk := _read(ours):
            written += chunk
    os.close(ours)
    return written


def _read(descriptor: int) -> bytes:
    """The next bytes; none when the other end is closed, which Linux tells as an error."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_no_color_is_honoured_on_a_terminal(variables: dict[str, str], coloured: bool) -> None:
    """The mark of what is right is green on a terminal, and has no colour with NO_COLOR."""
    written = on_a_terminal(variables)
    assert b"no problems" in written
    assert (COLOUR.search(written) is not None) == coloured


def test_a_pipe_gets_plain_text() -> None:
    """Scripts never see an escape sequence."""
    environment = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    done = subprocess.run(COMMAND, capture_output=True, env=environment, cwd=REPOSITORY, check=True)
    assert b"no problems" in done.stdout
    assert b"\x1b" not in done.stdout + done.stderr
