"""What a fake Pulumi CLI answers: events, states, and what every command asks."""

from __future__ import annotations

from typing import Any

from tests.unit.stacks.fakes import answer

URN = "urn:pulumi:demo-dev::strata::pulumi-python:dynamic/local:{kind}::{name}"
LINE = "10 controls, 10 pass, 0 not applicable, 0 undetermined"
REPORT = {
    "line": LINE,
    "summary": {"controls": 10, "pass": 10, "fail": 0, "error": 0, "undetermined": 0},
    "blocking": [],
    "controls": [],
}


def change(operation: str, kind: str, name: str, **facts: Any) -> dict[str, Any]:
    """The engine's event for the beginning of a change."""
    old = {
        "inputs": {"path": f"/data/{name}"},
        "type": "",
        "urn": "",
        "custom": True,
        "id": "",
        "parent": "",
        "provider": "",
    }
    states = {"old": None, "new": None} | ({"old": old} if operation != "create" else {"new": old})
    metadata = {"op": operation, "urn": URN.format(kind=kind, name=name), "type": "", "provider": "", **states, **facts}
    return {"resourcePreEvent": {"metadata": metadata}}


def summary(**counts: int) -> dict[str, Any]:
    """The engine's event that ends an operation; the stack itself is counted by the engine."""
    return {"summaryEvent": {"resourceChanges": counts, "durationSeconds": 1}}


def state(*names: str) -> dict[str, Any]:
    """A state that holds processes of these names."""
    entries = [
        {"type": "pulumi-python:dynamic/local:Process", "urn": URN.format(kind="Process", name=n)} for n in names
    ]
    return {"version": 3, "deployment": {"resources": entries}}


HISTORY = [
    {
        "kind": "update",
        "startTime": "2026-01-01T00:00:00.000Z",
        "message": "",
        "environment": {},
        "config": {},
        "result": "succeeded",
    }
]
ALWAYS = [
    answer("version", stdout="v3.259.0\n"),
    answer("init"),
    answer("select"),
    answer("output", json_output={}),
    answer("history", json_output=HISTORY),
]
