"""Fakes at the process border: programs that answer as they were told and note how they were called."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi.runtime.proto import events_pb2

FAKE = '''#!{python} -IS
"""A fake program: the first answer whose words are all among the arguments is given; the call is noted."""
import json, os, pathlib, sys, time

here = pathlib.Path({folder!r})
with open(here / "calls.jsonl", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
for answer in json.loads((here / "answers.json").read_text()):
    if all(word in sys.argv for word in answer["words"]):
        break
else:
    sys.exit(f"fake: no answer to {{sys.argv[1:]}}")
if answer.get("events"):
    sys.path[:0] = {packages!r}
    import grpc

    address = sys.argv[sys.argv.index("--event-log") + 1].removeprefix("tcp://")
    grpc.insecure_channel(address).stream_unary({method!r})(bytes.fromhex(event) for event in answer["events"])
sys.stdout.write(answer.get("stdout", ""))
sys.stdout.flush()
sys.stderr.write(answer.get("stderr", ""))
sys.exit(answer.get("code", 0))
'''

# The fake sends bytes that were made here: it starts many times, and Pulumi's SDK takes long to load.
_METHOD = "/pulumirpc.Events/StreamEvents"


@dataclass(frozen=True)
class FakeProgram:
    """A program on disk that stands in for a real one."""

    path: Path
    folder: Path

    def answers(self, *answers: dict[str, Any]) -> None:
        """Set what is answered: `words` that must be among the arguments, then stdout, stderr, code, events."""
        (self.folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call so far."""
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def make(path: Path, folder: Path) -> FakeProgram:
    """Write a fake program to a path; what it answers and notes is kept in a folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    text = FAKE.format(python=sys.executable, folder=str(folder), packages=sys.path, method=_METHOD)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    program = FakeProgram(path, folder)
    program.answers()
    return program


def answer(*words: str, json_output: Any = None, **facts: Any) -> dict[str, Any]:
    """One answer of a fake program; `json_output` becomes its standard output, `events` the engine's events."""
    if "events" in facts:
        messages = (events_pb2.EventRequest(event=json.dumps(event)) for event in facts["events"])
        facts["events"] = [message.SerializeToString().hex() for message in messages]
    stdout = {"stdout": json.dumps(json_output)} if json_output is not None else {}
    return {"words": list(words), **stdout, **facts}


def lines(*events: dict[str, Any]) -> str:
    """Events as JSON lines."""
    return "".join(json.dumps(event) + "\n" for event in events)
