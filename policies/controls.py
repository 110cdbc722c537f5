"""Reads the catalogue: one YAML file per control, and the settings that hold for all."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from policies.model import Control, Level
from policies.normalise import ENVIRONMENTS, TARGETS
from policies.source import InvalidSourceError, Reader, load

CATALOGUE = Path(__file__).resolve().parent / "catalogue"
SEVERITIES = ("low", "medium", "high", "critical")
KINDS = ("resource", "stack")
FIXES = ("rewrite", "patch", "human")
RISK_CLASSES = ("minimal", "limited", "high", "prohibited")
FRAMEWORKS = ("eu_ai_act", "eu_requirements", "gdpr", "dora", "iso_42001", "nist_ai_rmf")
_ID = re.compile(r"^[A-Z0-9]{3}-\d{2}$")
_LEVELS = tuple(level.value for level in Level)


@dataclass(frozen=True)
class Catalogue:
    """All controls, in the order of their ids, and what holds for all of them."""

    version: str
    digest: str
    """SHA-256 over the files, so that a report names exactly what was enforced."""
    controls: tuple[Control, ...]
    exception_term_days: Mapping[str, int]
    """Longest life of an exception by severity, in days."""

    def __getitem__(self, identifier: str) -> Control:
        for control in self.controls:
            if control.id == identifier:
                return control
        raise KeyError(identifier)


def load_catalogue(folder: Path = CATALOGUE) -> Catalogue:
    """Return the catalogue.

    Raises:
        InvalidSourceError: listing every problem in every file.
    """
    problems: list[str] = []
    controls = [_control(path, problems) for path in sorted(folder.glob("[A-Z]*.yaml"))]
    settings = Reader("settings.yaml", load(folder / "settings.yaml"), problems)
    version = settings.text("version")
    terms = settings.inner("exception_term_days")
    term_days = {severity: terms.number(severity, 1, 366) for severity in SEVERITIES}
    terms.end()
    settings.end()
    if not controls:
        problems.append(f"{folder.name}: holds no control; restore the catalogue")
    if problems:
        raise InvalidSourceError(problems)
    return Catalogue(version, digest_of(folder.glob("*.yaml")), tuple(controls), term_days)


def digest_of(paths: Iterable[Path]) -> str:
    """Return the SHA-256 over names and bytes of files, independent of their order."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _control(path: Path, problems: list[str]) -> Control:
    reader = Reader(path.name, load(path), problems)
    identifier = reader.text("id")
    if identifier != path.stem or not _ID.match(identifier):
        reader.note("id", f"is {identifier!r}", f"write the file's name, {path.stem!r}, of the form ABC-01")
    kind = reader.text("kind", allowed=KINDS)
    levels = reader.inner("levels")
    control = Control(
        id=identifier,
        title=reader.text("title"),
        intent=reader.text("intent"),
        severity=reader.text("severity", allowed=SEVERITIES),
        stage=reader.number("stage", 1, 4),
        targets=reader.texts("targets", allowed=TARGETS),
        kind=kind,
        applies_to=reader.texts("applies_to"),
        maps_to=_maps_to(reader.inner("maps_to")),
        levels=_levels(levels.inner("default"), complete=True),
        risk_class_levels=_risk_levels(levels.inner("risk_class", optional=True)),
        fix=reader.text("fix", allowed=FIXES),
        required=reader.text("required"),
        remedy=reader.text("remedy"),
        inspects=reader.texts("inspects"),
        exceptions=reader.flag("exceptions"),
    )
    levels.end()
    reader.end()
    return control


def _maps_to(reader: Reader) -> dict[str, tuple[str, ...]]:
    references = {name: reader.texts(name, empty=True) for name in FRAMEWORKS}
    reader.end()
    if not any(references.values()):
        reader.note("", "refers to no framework", "name at least one article or clause")
    return references


def _levels(reader: Reader, *, complete: bool) -> dict[str, Level]:
    names = ENVIRONMENTS if complete else tuple(name for name in ENVIRONMENTS if name in reader.names())
    found = {name: reader.text(name, allowed=_LEVELS) for name in names}
    reader.end()
    return {name: Level(level) for name, level in found.items() if level in _LEVELS}


def _risk_levels(reader: Reader) -> dict[str, dict[str, Level]]:
    found = {name: _levels(reader.inner(name), complete=False) for name in reader.names() if name in RISK_CLASSES}
    reader.end()
    return found
