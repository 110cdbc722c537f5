"""Virtual environments made from hashed lock files, with uv where it is present and with venv and pip elsewhere.

Runs on the system's Python, before anything is installed: standard library only.

    python3 -m tools.environments ensure program run-time
    python3 -m tools.environments check
    python3 -m tools.environments lock
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools import lockfiles, locking, progress

MINIMUM_PYTHON = (3, 11)
MARKER = ".strata-environment"
_LAYOUT = 1  # raise it when what is written into an environment changes

_RUN_TIME = ("pipelines/core", "pipelines/train", "pipelines/serve", "pipelines/promote")
_MLSTEP: Mapping[str, str] = {"mlstep": "mlstep.cli:main"}
_STRATA: Mapping[str, str] = {"strata": "stacks.commands.main:main"}


class InstallError(RuntimeError):
    """An environment could not be made; the message ends with the installer's last lines and the remedy."""


@dataclass(frozen=True)
class Environment:
    """One virtual environment: where it is, what is locked for it, what of ours it sees, which commands it has."""

    name: str
    folder: str
    lock: str
    paths: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    pip: bool = False
    """Whether pip itself is in it; the official language host asks the program's environment for its packages so."""


ENVIRONMENTS: Mapping[str, Environment] = {
    item.name: item
    for item in (
        Environment("program", ".venv", "requirements.txt", (".",), _STRATA, pip=True),
        Environment("policies", "policies/.venv", "policies/requirements.txt"),
        Environment("run-time", ".strata/envs/run-time", "pipelines/requirements.txt", _RUN_TIME, _MLSTEP),
        Environment(
            "features",
            ".strata/envs/features",
            "pipelines/features/requirements.txt",
            ("pipelines/core", "pipelines/features"),
            _MLSTEP,
        ),
        Environment(
            "dev",
            ".strata/envs/dev",
            "requirements-dev.txt",
            (".", *_RUN_TIME, "pipelines/features"),
            {**_MLSTEP, **_STRATA},
        ),
    )
}

Report = Callable[[str], None]


def ensure(name: str, root: Path, report: Report | None = None) -> Path:
    """Make the named environment of the repository at `root`, or bring it up to date, and return its folder.

    A call for an environment that is up to date reads two files. `report` receives one line when something was done.

    Raises:
        InstallError: unknown name, Python too old, lock file missing, or the installer failed.
    """
    return build(_plan(name, root), report)


def is_current(name: str, root: Path) -> bool:
    """Whether the named environment is there, complete, and as its lock file says.

    Raises:
        InstallError: unknown name or lock file missing.
    """
    plan = _plan(name, root)
    return _matches(plan, _fingerprint(plan))


@dataclass(frozen=True)
class Plan:
    """An environment to be made, all paths absolute; `guard` is the lock that keeps two from making it at once."""

    name: str
    folder: Path
    lock: Path
    paths: tuple[Path, ...]
    scripts: Mapping[str, str]
    guard: Path
    pip: bool = False


def build(plan: Plan, report: Report | None = None) -> Path:
    """Make one environment; see `ensure`, which knows the names.

    Raises:
        InstallError: as in `ensure`.
    """
    if sys.version_info < MINIMUM_PYTHON:
        raise InstallError(f"Python 3.11 or later is needed (this is {platform.python_version()})")
    wanted = _fingerprint(plan)
    if _matches(plan, wanted):
        return plan.folder
    with locking.exclusive(plan.guard, f"environment {plan.name}"):
        if _matches(plan, wanted):  # another process has made it while we waited
            return plan.folder
        started = time.monotonic()
        (plan.folder / MARKER).unlink(missing_ok=True)
        _install(plan)
        _write_paths(plan.folder, plan.paths)
        for command, target in plan.scripts.items():
            _write_script(plan.folder, command, target)
        # Last of all: without the marker the next call starts anew, however this one ended.
        _write_atomically(plan.folder / MARKER, wanted)
        count = len(list(_site_packages(plan.folder).glob("*.dist-info")))
        if report is not None:
            report(progress.line(f"environment {plan.name}", f"{count} packages", time.monotonic() - started))
    return plan.folder


def _plan(name: str, root: Path) -> Plan:
    if name not in ENVIRONMENTS:
        raise InstallError(f"environment {name!r} is unknown; choose from {', '.join(ENVIRONMENTS)}")
    item = ENVIRONMENTS[name]
    root = root.resolve()
    paths = tuple(root / path for path in item.paths)
    guard = root / ".strata" / "locks" / f"{name}.lock"
    return Plan(name, root / item.folder, root / item.lock, paths, item.scripts, guard, item.pip)


def _fingerprint(plan: Plan) -> str:
    if not plan.lock.is_file():
        raise InstallError(f"{plan.lock} is missing; restore it from version control or run: make lock")
    state = {
        "layout": _LAYOUT,
        "folder": str(plan.folder),  # an environment that was moved or copied does not work
        "lock": hashlib.sha256(plan.lock.read_bytes()).hexdigest(),
        "paths": [str(path) for path in plan.paths],
        "pip": plan.pip,
        "python": platform.python_version(),
        "scripts": dict(plan.scripts),
    }
    return json.dumps(state, indent=1, sort_keys=True) + "\n"


def _matches(plan: Plan, wanted: str) -> bool:
    marker = plan.folder / MARKER
    if not marker.is_file() or not (plan.folder / "bin" / "python").exists():
        return False
    return marker.read_text(encoding="utf-8") == wanted


def _install(plan: Plan) -> None:
    uv = _working_uv()
    if plan.folder.exists():
        shutil.rmtree(plan.folder)  # what is there is half-made, old, or somebody else's: never built upon
    plan.folder.parent.mkdir(parents=True, exist_ok=True)
    python = str(plan.folder / "bin" / "python")
    # When this runs inside an environment, the new one must not depend on that: it may be remade.
    base = str(getattr(sys, "_base_executable", sys.executable))
    venv = [base, "-m", "venv", str(plan.folder)]
    if uv:
        making = venv if plan.pip else [uv, "venv", "--quiet", "--python", base, str(plan.folder)]
        # Compiled here, once, as pip does by itself: else each process that starts first compiles what it imports.
        filling = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--no-deps", "--require-hashes"]
        filling += ["--python", python]
    else:
        making = venv
        filling = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ]
    for command in (making, [*filling, "--requirement", str(plan.lock)]):
        code, last = progress.run(command, f"environment {plan.name}", _clean_environment())
        if code != 0:
            raise InstallError(_failure(plan.name, command, code, last))


def _working_uv() -> str | None:
    """The uv on PATH, if it starts: a version manager's shim may be there without the program behind it."""
    uv = shutil.which("uv")
    if uv and subprocess.run([uv, "--version"], capture_output=True, check=False).returncode == 0:
        return uv
    return None


def _clean_environment() -> dict[str, str]:
    """Our variables without an active environment's, which would lead the installer astray."""
    dropped = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "CONDA_PREFIX")
    return {key: value for key, value in os.environ.items() if key not in dropped}


def _failure(name: str, command: Sequence[str], code: int, last: str) -> str:
    shown = last.strip() or "(it printed nothing)"
    remedy = "Look at the lines above; check the network, proxy and package index, then run the same command again."
    if "ensurepip" in shown or "python3-venv" in shown:
        remedy = "Python's venv module is incomplete: install the system's package for it (Debian: python3-venv)."
    if "hash mismatch" in shown.lower() or "do not match the hashes" in shown.lower():
        remedy = "A downloaded file is not the one that was locked. Do not bypass this: ask whoever runs the index."
    return f"environment {name}: `{' '.join(command)}` ended with exit code {code}\n{shown}\n{remedy}"


def _site_packages(folder: Path) -> Path:
    return folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def _write_paths(folder: Path, paths: Sequence[Path]) -> None:
    if paths:
        _write_atomically(_site_packages(folder) / "strata.pth", "".join(f"{path}\n" for path in paths))


def _write_script(folder: Path, command: str, target: str) -> None:
    module, _, function = target.partition(":")
    # The two-line start works where a `#!` line would not: long paths, and paths with a space.
    text = (
        f"#!/bin/sh\n'''exec' \"{folder}/bin/python\" \"$0\" \"$@\"\n' '''\n"
        f"import sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"
    )
    path = folder / "bin" / command
    _write_atomically(path, text)
    path.chmod(0o755)


def _write_atomically(path: Path, text: str) -> None:
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.environments", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("ensure", help="make environments, or bring them up to date")
    making.add_argument("names", nargs="+", choices=list(ENVIRONMENTS))
    commands.add_parser("check", help="say which lock files are out of date (needs no network)")
    commands.add_parser("lock", help="compile all lock files anew (needs uv and the package index)")
    given = parser.parse_args(arguments)
    try:
        if given.command == "ensure":
            for name in given.names:
                ensure(name, given.root, lambda text: print(text, flush=True))
        elif given.command == "check":
            lockfiles.check(given.root)
        else:
            lockfiles.compile_all(given.root)
    except (InstallError, lockfiles.LockFileError, locking.Busy) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
