"""The run-time plane, called as `mlstep` in its own environment.

Three ways: one JSON answer (`call`), a stream of JSON lines (`stream`), or straight to the person (`show`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stacks import record
from stacks.commands.failure import Failure


def call(root: Path, command: list[str]) -> Any:
    """Run one `mlstep` command for a platform folder and return its JSON answer.

    Raises:
        Failure: the command failed; its own words are the reason.
    """
    done = _start(root, command)
    output, errors = done.communicate()
    if done.returncode != 0:
        raise _failure(command, done.returncode, output, errors)
    return _answer(command, output)


def local_call(command: list[str]) -> str:
    """Run one `mlstep` command that concerns no platform and return what it wrote.

    Raises:
        Failure: the command failed; its own words are the reason.
    """
    done = _start(None, command)
    output, errors = done.communicate()
    if done.returncode != 0:
        raise _failure(command, done.returncode, output, errors)
    return output


def collect(root: Path, command: list[str]) -> tuple[int, str]:
    """Run one `mlstep` command to its end; return its exit code and what it wrote.

    Raises:
        Failure: the command failed and said why on standard error.
    """
    done = _start(root, command)
    output, errors = done.communicate()
    if done.returncode != 0 and errors.strip():
        raise _failure(command, done.returncode, output, errors)
    return done.returncode, output


def show(root: Path, command: list[str], as_json: bool) -> int:
    """Run one `mlstep` command that writes for people, or as JSON, straight to standard output; return its exit code.

    Raises:
        Failure: the command failed and said nothing but an error.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = _start(root, [*command, *(["--json"] if as_json else [])], errors, output=None)
        code = process.wait()
        errors.seek(0)
        said = errors.read()
    if code and said.strip():
        raise _failure(command, code, "", said)
    return code


def stream(root: Path, command: list[str], last: str) -> Iterator[dict[str, Any]]:
    """Run one `mlstep` command that writes JSON lines, and yield each line as it comes.

    An event of the type `last` says how it ended; without one, the command failed before it could say so.

    Raises:
        Failure: the command failed; its own words are the reason.
    """
    # Standard error goes to a file: a pipe that nobody empties would stop the command once it is full.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = _start(root, command, errors)
        line, finished = "", False
        try:
            for line in process.stdout or ():
                event = _event(line)
                if event is not None:
                    finished = finished or event["type"] == last
                    yield event
        finally:
            if process.poll() is None and not finished:
                _end(process)
        if process.wait() != 0 and not finished:
            errors.seek(0)
            raise _failure(command, process.returncode, line, errors.read())


def _start(
    root: Path | None, command: list[str], errors: Any = subprocess.PIPE, output: Any = subprocess.PIPE
) -> subprocess.Popen[str]:
    program = record.REPOSITORY / ".strata" / "envs" / "run-time" / "bin" / "mlstep"
    if not program.exists():
        raise Failure("the run-time environment is not installed", f"{program} is missing", "run `make up`")
    arguments = [str(program), *command, *(["--root", str(root)] if root else [])]
    # Without the flush, what we wrote before would come after what the command writes.
    sys.stdout.flush()
    return subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, text=True, env=_environment()
    )


def _environment() -> dict[str, str]:
    """Nothing of the program's own environment or of Pulumi reaches a step."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {key: value for key, value in os.environ.items() if key not in dropped and not key.startswith("PULUMI")}


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _event(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None  # a library's own line on standard output
    return value if isinstance(value, dict) and "type" in value else None


def _answer(command: list[str], output: str) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        shown = output.strip()[-300:] or "nothing"
        raise Failure(f"mlstep {command[0]} gave no JSON answer", f"it wrote: {shown}", "run `make check`") from None


def _failure(command: list[str], code: int, output: str, errors: str) -> Failure:
    """Make mlstep's own message (`mlstep X: what` and `remedy: …`) into a failure of ours."""
    if code < 0:
        return Failure(f"mlstep {command[0]} was killed", f"by signal {-code}", "run the same command again")
    lines = [line for line in (errors.strip() or output.strip()).splitlines() if line.strip()]
    remedy = [line.split("remedy:", 1)[1].strip() for line in lines if line.strip().startswith("remedy:")]
    why = [line for line in lines if not line.strip().startswith("remedy:")]
    prefix = f"mlstep {command[0]}: "
    if why and any(line.startswith("Traceback (most recent call last)") for line in why):
        why = why[-1:]
    why = [line.removeprefix(prefix) for line in why] or [f"exit code {code}"]
    return Failure(f"{command[0]} failed", why, remedy, exit_code=code)
