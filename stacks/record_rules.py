"""Rules between the keys of a record, and rules that look at the files it points to.

Each rule yields its problems and knows nothing of the others. Whether a port is taken at this moment is not a rule of
the record: `preflight.py` looks at it when something is about to be started.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from stacks.local_folder import PORTS_PER_ENVIRONMENT, folder_problem, platform_root
from stacks.problems import KeyPath, Problem, did_you_mean, shown
from stacks.record_view import View

Rule = Callable[[View, Path], Iterator[Problem]]


def _file_name(view: View, root: Path) -> Iterator[Problem]:
    name, stem = view.text("workspace"), view.source.path.stem
    if name and name != stem:
        yield view.problem(
            ("workspace",), name, f"must be the file's name: write {stem}, or rename the file to {name}.yaml"
        )


def _target(view: View, root: Path) -> Iterator[Problem]:
    target = view.text("target")
    if target in ("azure", "gcp", "kubernetes"):
        yield view.problem(("target",), f"{target} is not yet available", "write local: it is the only target so far")


def _people(view: View, root: Path) -> Iterator[Problem]:
    owner, approver, deputy = (view.text("use_case", key) for key in ("owner", "risk_approver", "deputy"))
    if same_person(owner, approver):
        found = f"same person as owner ({approver})"
        yield view.problem(("use_case", "risk_approver"), found, "name somebody of the second line")
    if same_person(owner, deputy):
        yield view.problem(("use_case", "deputy"), f"same person as owner ({deputy})", "name somebody else")


def _signers(view: View, root: Path) -> Iterator[Problem]:
    owner, target = view.text("use_case", "owner"), view.text("target")
    for path, entry in view.entries("signers"):
        if entry.get("role") == "risk" and same_person(owner, entry.get("name")):
            found = f"the owner ({owner}) signs as risk"
            yield view.problem((*path, "name"), found, "name somebody of the second line")
        if entry.get("key") == "demo" and target in ("azure", "gcp", "kubernetes"):
            yield view.problem((*path, "key"), f"demo on target {target}", "write ed25519:<base64 of 32 bytes>")


def _risk_class(view: View, root: Path) -> Iterator[Problem]:
    if view.get("use_case", "risk_class") == "prohibited":
        yield view.problem(
            ("use_case", "risk_class"),
            "prohibited",
            "the EU AI Act (Article 5) forbids such a system; write high, limited or minimal if that is what it is",
        )


def _stage_of_environments(view: View, root: Path) -> Iterator[Problem]:
    whole = view.number("stage")
    dev = view.number("environments", "dev", "stage") or whole
    for name in view.environments():
        stage = view.number("environments", name, "stage")
        leader, limit = ("the workspace", whole) if name == "dev" else ("dev", dev)
        if stage is None or limit is None or not 1 <= stage <= 4 or stage <= limit:
            continue
        remedy = "raise stage, or lower dev" if name == "dev" else f"raise dev first, or lower {name}"
        yield view.problem(("environments", name, "stage"), f"{stage} leads {leader} ({limit})", remedy)


def _needed_from_stage_2(view: View, root: Path) -> Iterator[Problem]:
    stage = view.number("stage")
    if stage is None or not 2 <= stage <= 4:
        return
    for key in ("data", "pipelines"):
        if view.get(key) in (None, []):
            yield view.problem((key,), "missing", f"stage {stage} needs at least one entry; or lower stage to 1")
    for path, entry in view.entries("pipelines"):
        if entry.get("approval_gate") is None:
            found = f"missing at stage {stage}"
            yield view.problem((*path, "approval_gate"), found, f"name a signer's role: {_roles_text(view)}")


def _gates_have_a_signer(view: View, root: Path) -> Iterator[Problem]:
    roles = _roles(view)
    for path, entry in view.entries("pipelines"):
        gate = entry.get("approval_gate")
        if isinstance(gate, str) and gate not in roles:
            yield view.problem(
                (*path, "approval_gate"), f"no signer has the role {gate}", f"roles: {_roles_text(view)}"
            )


def _unique_names(view: View, root: Path) -> Iterator[Problem]:
    for key in ("signers", "data", "pipelines"):
        first: dict[str, KeyPath] = {}
        for path, entry in view.entries(key):
            name = entry.get("name")
            if not isinstance(name, str):
                continue
            if name in first:
                line = view.source.position(first[name])[0]
                yield view.problem((*path, "name"), f"{name} appears twice (first in line {line})", "use another name")
            first.setdefault(name, path)


def _files(view: View, root: Path) -> Iterator[Problem]:
    for key, field in (("data", "contract"), ("pipelines", "definition")):
        for path, entry in view.entries(key):
            value = entry.get(field)
            if isinstance(value, str) and value:
                yield from _file(view, (*path, field), value, root)
    for path, entry in view.entries("data"):
        source = entry.get("source")
        if isinstance(source, str) and source:
            yield from _source(view, (*path, "source"), source, root)


def _file(view: View, path: KeyPath, value: str, root: Path) -> Iterator[Problem]:
    full = root / Path(value).expanduser()
    if full.is_file():
        return
    if full.is_dir():
        yield view.problem(path, f"{shown(value)} is a folder", "name the file in it")
        return
    near = did_you_mean(full.name, [p.name for p in full.parent.iterdir()]) if full.parent.is_dir() else None
    if near:
        remedy = f"did you mean {Path(value).parent / near}?"
    elif full.parent.is_dir():
        remedy = "create it, or correct the path (from the repository's folder)"
    else:
        remedy = f"the folder {Path(value).parent} does not exist either; correct the path"
    yield view.problem(path, f"{shown(value)} not found", remedy)


def _source(view: View, path: KeyPath, value: str, root: Path) -> Iterator[Problem]:
    scheme = re.match(r"^([a-z][a-z0-9+.-]*):", value)
    if scheme and scheme.group(1) == "synthetic":
        if not re.fullmatch(r"synthetic:credit(\?[a-z_]+=[^&=\s]+(&[a-z_]+=[^&=\s]+)*)?", value):
            yield view.problem(path, shown(value), "write synthetic:credit?rows=100000&seed=7")
    elif scheme:
        yield view.problem(
            path, f"scheme {scheme.group(1)}: is not known here", "name a CSV or Parquet file, or synthetic:credit"
        )
    elif Path(value).suffix.lower() not in (".csv", ".parquet"):
        yield view.problem(path, shown(value), "name a file ending in .csv or .parquet, or synthetic:credit")
    else:
        yield from _file(view, path, value, root)


def _schedules(view: View, root: Path) -> Iterator[Problem]:
    for path, entry in view.entries("pipelines"):
        value = entry.get("schedule")
        if isinstance(value, str):
            found = cron_problem(value)
            if found:
                remedy = 'minute hour day month weekday, for example "0 6 * * mon-fri" (06:00 UTC on working days)'
                yield view.problem((*path, "schedule"), f"{shown(value)}: {found}", remedy)


def _local_settings(view: View, root: Path) -> Iterator[Problem]:
    if view.text("target") != "local":
        return
    taken: dict[int, str] = {}
    folders: dict[Path, str] = {}
    for name in view.environments():
        yield from _ports(view, name, taken)
        yield from _folder(view, name, folders, root)


def _ports(view: View, name: str, taken: dict[int, str]) -> Iterator[Problem]:
    path: KeyPath = ("environments", name, "local", "ports", "base")
    base = view.number(*path)
    base = 25100 if base is None else base
    for other, owner in taken.items():
        if abs(base - other) < PORTS_PER_ENVIRONMENT:
            last = PORTS_PER_ENVIRONMENT - 1
            found = f"{base} to {base + last} overlaps {owner} ({other} to {other + last})"
            yield view.problem(path, found, f"write {max(taken) + PORTS_PER_ENVIRONMENT} or more")
            break
    taken[base] = name


def _folder(view: View, name: str, folders: dict[Path, str], root: Path) -> Iterator[Problem]:
    path: KeyPath = ("environments", name, "local", "data_dir")
    folder = platform_root(view.text("workspace") or "x", name, view.text(*path))
    found = folder_problem(folder, root)
    if found:
        yield view.problem(path, *found)
    if folder in folders:
        yield view.problem(path, f"{folder} is the folder of {folders[folder]}", "give each environment its own folder")
    folders[folder] = name


RULES: tuple[Rule, ...] = (
    _file_name,
    _target,
    _people,
    _signers,
    _risk_class,
    _stage_of_environments,
    _needed_from_stage_2,
    _gates_have_a_signer,
    _unique_names,
    _files,
    _schedules,
    _local_settings,
)


def same_person(one: object, other: object) -> bool:
    """Return whether two addresses name the same person; letter case and an address's +suffix do not count."""
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    return _mailbox(one) == _mailbox(other)


def cron_problem(expression: str) -> str | None:
    """Return what is wrong with a cron expression, or None.

    Days of the week must be names: the number 1 is Monday for cron and Tuesday for other schedulers.
    """
    from apscheduler.triggers.cron import CronTrigger

    try:
        CronTrigger.from_crontab(expression, timezone="UTC")
    except (ValueError, TypeError) as error:
        return str(error)
    if re.search(r"(?<![*/\d])\d", re.sub(r"/\d+", "", expression.split()[4])):
        return "a weekday as a number means different days to different schedulers; use mon to sun"
    return None


def _mailbox(address: str) -> str:
    name, _, domain = address.strip().casefold().partition("@")
    return f"{name.split('+')[0]}@{domain}"


def _roles(view: View) -> list[str]:
    return sorted({entry["role"] for _, entry in view.entries("signers") if isinstance(entry.get("role"), str)})


def _roles_text(view: View) -> str:
    return ", ".join(_roles(view)) or "none yet; add a signer"
