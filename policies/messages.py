"""What a person reads when a control speaks: which control and resource, what was found, what to do, where to look."""

import traceback
from collections.abc import Iterable
from pathlib import Path

from policies.model import Control, Finding, Problem, Waiver


def shown(urn: str) -> str:
    """Return a URN as `name [type]`."""
    parts = urn.split("::")
    return f"{parts[-1]} [{parts[-2].split('$')[-1]}]" if len(parts) >= 4 else urn or "the stack"


def failed(control: Control, problem: Problem, urn: str, lapsed: Waiver | None) -> Finding:
    """Return the finding of a broken control."""
    lines = [
        f"{control.id} ({control.severity}): {shown(urn)}: {control.title}",
        f"  found:    {problem.found}",
        f"  required: {problem.required}",
    ]
    if lapsed:
        lines.append(
            f"  expired:  exception {lapsed.id} ended on {lapsed.expires.isoformat()}; the control applies again"
        )
    lines += [f"  remedy:   {control.remedy}", f"  more:     {control.page}"]
    return Finding(urn, problem.found, "\n".join(lines))


def excepted(control: Control, problem: Problem, urn: str, waiver: Waiver) -> Finding:
    """Return the finding of a broken control that somebody may break for a time."""
    message = (
        f"{control.id} ({control.severity}): {shown(urn)}: excepted by {waiver.id} until {waiver.expires.isoformat()} "
        f"(owner {waiver.owner}, approved by {waiver.approver}, {waiver.ticket})\n"
        f"  found:    {problem.found}\n"
        f"  instead:  {waiver.compensating_control}\n"
        f"  more:     {control.page}"
    )
    return Finding(urn, f"{problem.found}; excepted by {waiver.id} until {waiver.expires.isoformat()}", message)


def undetermined(control: Control, urn: str, why: str) -> Finding:
    """Return the finding of a control that lacks a value."""
    message = (
        f"{control.id} ({control.severity}): {shown(urn)}: cannot be decided\n"
        f"  found:    {why}\n"
        f"  required: {control.required}\n"
        f"  more:     {control.page}"
    )
    return Finding(urn, why, message)


def broken(control: Control, urn: str, where: str) -> Finding:
    """Return the finding of a control that failed itself."""
    message = (
        f"{control.id} ({control.severity}): {shown(urn)}: the control itself failed\n"
        f"  found:    {where}\n"
        f"  required: a verdict; a control that cannot give one stops the deployment\n"
        f"  remedy:   correct policies/rules/{rule_module(control.id)}.py and its fixtures\n"
        f"  more:     {control.page}"
    )
    return Finding(urn, where, message)


def rule_module(identifier: str) -> str:
    """Return the module name of a control's rule: `GOV-01` becomes `gov_01`."""
    return identifier.lower().replace("-", "_")


def place_of(error: Exception) -> str:
    """Return kind and place of an error; never its text, which may hold a secret value."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place


# Below this a text is no secret worth the name, and taking every "1" or "on" out of a message would make it unreadable.
_SHORTEST_SECRET = 4
_NO_SECRETS = frozenset({"true", "false", "none", "null"})


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the content of any secret, plain or as a representation shows it; the longest first."""
    hidden = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET and secret.lower() not in _NO_SECRETS]
    spellings = {spelling for secret in hidden for spelling in (secret, repr(secret)[1:-1])}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, "[secret]")
    return text
