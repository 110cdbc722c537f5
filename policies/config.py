"""What a run is told from outside: the day, and a policy configuration, which may never weaken a control."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from policies.controls import Catalogue, load_catalogue
from policies.model import Level
from policies.source import InvalidSourceError

PACK = "strata"
AS_OF_VARIABLE = "STRATA_POLICY_AS_OF"
"""Day on which exceptions are judged, YYYY-MM-DD, so that evidence can be made again; unset, today."""
_STRICTNESS = {"disabled": 0, "advisory": 1, "mandatory": 2, "remediate": 2}


@dataclass(frozen=True)
class Clock:
    """The day of a run."""

    day: date
    injected: bool
    """Whether somebody chose the day; every report says so."""


def today(environment: Mapping[str, str]) -> Clock:
    """Return the day of the run.

    Raises:
        InvalidSourceError: if the chosen day is not a day.
    """
    chosen = environment.get(AS_OF_VARIABLE)
    if not chosen:
        return Clock(datetime.now().astimezone().date(), injected=False)
    try:
        return Clock(date.fromisoformat(chosen), injected=True)
    except ValueError:
        raise InvalidSourceError([f"{AS_OF_VARIABLE}: is {chosen!r}; write a day as YYYY-MM-DD, or unset it"]) from None


REFUSED = "the policy configuration is refused, because a deployment may only tighten the catalogue"


@dataclass(frozen=True)
class Asked:
    """What a configuration says about one control, or about `all`."""

    level: str
    settings: tuple[str, ...] = ()
    """Names of settings; no control has any."""


def problems_of(catalogue: Catalogue, asked: Mapping[str, Asked]) -> list[str]:
    """Return what in a configuration is unknown, or weaker than the catalogue.

    The catalogue decides the level by environment and risk class. The engine is told the strictest of them, and hands
    exactly that back where nobody asked for anything else.
    """
    known = {control.id: control for control in catalogue.controls}
    register = "an exception needs policies/exceptions.yaml"
    problems = []
    weak_all = "all" in asked and not _enough(asked["all"].level, Level.MANDATORY)
    if weak_all:
        problems.append(f"all: {asked['all'].level}: would weaken every control; remove it, {register}")
    for name, wanted in sorted(asked.items()):
        if name != "all" and name not in known:
            problems.append(f"{name}: is no control of this pack; correct the name (known: {', '.join(known)})")
        elif name != "all" and not weak_all and not _enough(wanted.level, known[name].strictest):
            problems.append(f"{name}: {wanted.level}: is weaker than the catalogue; remove it, {register}")
        if wanted.settings:
            problems.append(f"{name}: sets {', '.join(wanted.settings)}; remove it, no control has settings")
    return problems


def _enough(level: str, least: Level) -> bool:
    return _STRICTNESS.get(level, 0) >= _STRICTNESS["mandatory" if least is Level.MANDATORY else "advisory"]


def check_file(catalogue: Catalogue, path: Path) -> list[str]:
    """Return every problem of a file for `--policy-pack-config`, before the engine sees it."""
    wrong_shape = "write a JSON object of control id and level"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [f"{error}; {wrong_shape}"]
    if not isinstance(content, dict):
        return [f"is {type(content).__name__}; {wrong_shape}"]
    problems = []
    asked = {}
    for name, entry in content.items():
        values: dict[str, Any] = entry if isinstance(entry, dict) else {"enforcementLevel": entry}
        level = values.get("enforcementLevel", "mandatory")
        if level not in _STRICTNESS:
            problems.append(f"{name}: level is {level!r}; use one of {', '.join(_STRICTNESS)}")
        else:
            asked[name] = Asked(level, tuple(sorted(set(values) - {"enforcementLevel"})))
    return problems + problems_of(catalogue, asked)


def main(arguments: list[str]) -> int:
    """Check configuration files named on the command line; exit code 0 if all are fit, 1 if not, 2 for wrong use."""
    if not arguments:
        print("use: python -m policies.config FILE…", file=sys.stderr)
        return 2
    catalogue = load_catalogue()
    problems = [f"{name}: {problem}" for name in arguments for problem in check_file(catalogue, Path(name))]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
