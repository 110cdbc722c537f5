"""The register of exceptions: who may break which control where, until when, and who allowed it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from policies.controls import Catalogue
from policies.model import Waiver
from policies.source import InvalidSourceError, Reader, load

REGISTER = Path(__file__).resolve().parent / "exceptions.yaml"
EXPIRING_DAYS = 15
"""How long before its end an exception is reported as expiring."""
SHORTEST_REASON = 20
"""Characters below which a reason explains nothing."""
_ID = re.compile(r"^EX-\d{4}-\d{3}$")


@dataclass(frozen=True)
class Register:
    """All exceptions, as they stand on one day."""

    waivers: tuple[Waiver, ...]
    digest: str
    as_of: date

    def match(self, control: str, stack: str, urn: str) -> Waiver | None:
        """Return the exception in force for a finding, if there is one."""
        return next((waiver for waiver in self._about(control, stack, urn) if self.in_force(waiver)), None)

    def lapsed(self, control: str, stack: str, urn: str) -> Waiver | None:
        """Return an exception that covered a finding once and is over, if there is one."""
        return next((waiver for waiver in self._about(control, stack, urn) if waiver.expires < self.as_of), None)

    def in_force(self, waiver: Waiver) -> bool:
        """Return whether the exception holds on the day; its last day counts."""
        return waiver.issued <= self.as_of <= waiver.expires

    def standing(self, waiver: Waiver) -> str:
        """Return `not yet in force`, `in force`, `expiring` or `expired`."""
        if self.as_of < waiver.issued:
            return "not yet in force"
        if self.as_of > waiver.expires:
            return "expired"
        return "expiring" if waiver.expires - self.as_of <= timedelta(days=EXPIRING_DAYS) else "in force"

    def _about(self, control: str, stack: str, urn: str) -> list[Waiver]:
        return [
            waiver
            for waiver in self.waivers
            if waiver.control == control and fnmatchcase(stack, waiver.stack) and fnmatchcase(urn, waiver.resource)
        ]


def load_register(catalogue: Catalogue, as_of: date, path: Path = REGISTER) -> Register:
    """Return the register.

    Raises:
        InvalidSourceError: listing every problem of every entry.
    """
    problems: list[str] = []
    top = Reader(path.name, load(path), problems)
    entries = top.entries("exceptions")
    top.end()
    waivers = [
        _waiver(Reader(f"{path.name}: exceptions[{index}]", entry, problems)) for index, entry in enumerate(entries)
    ]
    for index, waiver in enumerate(waivers):
        where = f"{path.name}: exceptions[{index}] ({waiver.id})"
        problems.extend(f"{where}: {problem}" for problem in _rule_problems(waiver, catalogue))
    repeated = {waiver.id for waiver in waivers if sum(other.id == waiver.id for other in waivers) > 1}
    problems.extend(
        f"{path.name}: {identifier} is there twice; give each exception an id of its own"
        for identifier in sorted(repeated)
    )
    if problems:
        raise InvalidSourceError(problems)
    return Register(tuple(waivers), hashlib.sha256(path.read_bytes()).hexdigest(), as_of)


def _waiver(reader: Reader) -> Waiver:
    waiver = Waiver(
        id=reader.text("id"),
        control=reader.text("control"),
        resource=reader.text("resource"),
        stack=reader.text("stack"),
        owner=reader.text("owner"),
        approver=reader.text("approver"),
        reason=reader.text("reason"),
        ticket=reader.text("ticket"),
        compensating_control=reader.text("compensating_control"),
        issued=reader.day("issued"),
        expires=reader.day("expires"),
    )
    reader.end()
    return waiver


def _rule_problems(waiver: Waiver, catalogue: Catalogue) -> list[str]:
    """Return what is wrong with an exception whose fields have the right types."""
    problems = []
    if not _ID.match(waiver.id):
        problems.append(f"id is {waiver.id!r}; write EX-<year>-<three digits>")
    if waiver.owner.casefold() == waiver.approver.casefold():
        problems.append(f"owner and approver are both {waiver.owner!r}; somebody else must approve")
    if len(waiver.reason) < SHORTEST_REASON:
        problems.append(
            f"reason has {len(waiver.reason)} characters; explain in {SHORTEST_REASON} or more why it cannot be met"
        )
    known: Mapping[str, Any] = {control.id: control for control in catalogue.controls}
    control = known.get(waiver.control)
    if control is None:
        problems.append(f"control is {waiver.control!r}; name one of {', '.join(known)}")
        return problems
    if not control.exceptions:
        problems.append(f"{control.id} cannot be excepted; remove the exception and meet the control")
    longest = catalogue.exception_term_days[control.severity]
    term = (waiver.expires - waiver.issued).days
    if not 0 < term <= longest:
        problems.append(
            f"runs {term} days; a control of severity {control.severity} may be excepted for 1 to {longest} days"
        )
    return problems
