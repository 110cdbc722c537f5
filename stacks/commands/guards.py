"""What is looked at before the engine may change anything: ports, and stores that would be lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stacks.commands.events import Outcome, Step
from stacks.commands.failure import Failure
from stacks.record import Record

OFFSETS = {1: (0, 1, 2), 2: (3,), 3: (4, 5, 6), 4: (9,)}
"""Ports that each stage of target local adds, counted from ports.base (docs/architecture.md, section 3)."""


def ports(record: Record) -> list[int]:
    """Return the ports that the processes of a record listen on."""
    base = record.local.ports.base
    return [base + offset for stage, offsets in OFFSETS.items() if stage <= record.stage for offset in offsets]


def refuse_taken_ports(record: Record) -> None:
    """Look whether somebody else holds a port of this platform; its own processes are no problem.

    Raises:
        Failure: one or more are taken; all are named, with their holders where they can be seen.
    """
    from components.machine import port_problems

    if record.file.target != "local":
        return
    found = port_problems(str(record.root), ports(record))
    if found:
        key = f"environments.{record.environment}.local.ports.base"
        remedy = f"end the holder, or change {key} in {record.path} (now {record.local.ports.base})"
        why = [text.rpartition("; ")[0] or text for text in found]
        raise Failure(f"{len(found)} port(s) of {record.stack_name} are taken", why, remedy)


def refuse_loss(outcome: Outcome, existing: Sequence[Mapping[str, Any]], allowed: Sequence[str]) -> None:
    """Stop before a store is deleted or replaced that the person has not named.

    Raises:
        Failure: names each store, what it holds, and the two ways out.
    """
    # A store that only gets another name is taken up again under it.
    kept = {step.holds for step in outcome.steps if step.operation == "create" and step.holds}
    lost = [step for step in outcome.steps if step.is_store and step.loses and step.holds not in kept]
    lost = [step for step in lost if step.name not in allowed]
    if not lost:
        return
    names = " ".join(f"--allow {step.name}" for step in lost)
    raise Failure(
        f"{len(lost)} store(s) would be given up",
        [_loss(step, existing) for step in lost],
        [
            "keep them: undo the change of the record that causes this (shown by `strata preview`)",
            f"or give them up on purpose, after a copy: strata up {names}",
        ],
        exit_code=4,
    )


def _loss(step: Step, existing: Sequence[Mapping[str, Any]]) -> str:
    act = "would be deleted" if step.operation == "delete" else "would be replaced"
    holds = step.holds or _path(step, existing)
    because = f", because of {', '.join(step.keys)}" if step.keys and step.operation != "delete" else ""
    return f"{step.type} {step.name} {act}{because}" + (f"; it holds {holds}" if holds else "")


def _path(step: Step, existing: Sequence[Mapping[str, Any]]) -> str:
    for entry in existing:
        if str(entry.get("urn", "")).endswith(f"::{step.name}"):
            inputs = entry.get("inputs") or {}
            return str(inputs.get("path") or inputs.get("dir") or "")
    return ""
