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

from tools import locking, lockfiles, progress

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


ENVIRONMENTS: Mapping[str, Environment] = {
    item.name: item
    for item in (
        Environment("program", ".venv", "requirements.txt", (".",), _STRATA),
        Environment("policies", "policies/.venv", "policies/requirements.txt"),
        Environment("run-time", ".strata/envs/run-time", "pipelines/requirements.txt", _RUN_TIME, _MLSTEP),
        Environment(
            "features",
            ".strata/envs/features",
            "pipelines/features/requirements.txt",
            ("pipelines/core", "pipelines/features"),
            _MLSTEP,
        ),
        Environment("dev", ".strata/envs/dev", "requirements-dev.txt", (".", *_RUN_TIME), {**_MLSTEP, **_STRATA}),
    )
}

Report = Callable[[str], None]


def ensure(name: str, root: Path, report: Report | None = None) -> Path:
    """Make the named environment of the repository at `root`, or bring it up to date, and return its folder.

    A call for an environment that is up to date reads two files. `report` receives one line when something was done.

    Raises:
        InstallError: unknown name, Python too old, lock file missing, or the installer failed.
    """
    if name not in ENVIRONMENTS:
        raise InstallError(f"environment {name!r} is unknown; choose from {', '.join(ENVIRONMENTS)}")
    item = ENVIRONMENTS[name]
    return build(
        name,
        root / item.folder,
        root / item.lock,
        [root / path for path in item.paths],
        item.scripts,
        root / ".strata" / "locks" / f"{name}.lock",
        report,
    )


def is_current(name: str, root: Path) -> bool:
    """Whether the named environment is as `ensure` would make it; changes nothing.

    Raises:
        KeyError: unknown name.
    """
    item = ENVIRONMENTS[name]
    paths = [root / path for path in item.paths]
    return _is_current(root / item.folder, _fingerprint(root / item.folder, root / item.lock, paths, item.scripts))


def build(
    name: str,
    folder: Path,
    lock: Path,
    paths: Sequence[Path],
    scripts: Mapping[str, str],
    guard: Path,
    report: Report | None = None,
) -> Path:
    """Make one environment from a lock file; see `ensure`, which knows the names.

    Raises:
        InstallError: as in `ensure`.
    """
    if sys.version_info < MINIMUM_PYTHON:
        raise InstallError(f"Python 3.11 or later is needed (this is {platform.python_version()})")
    if not lock.is_file():
        raise InstallError(f"{lock} is missing; restore it from version control or run: make lock")
    wanted = _fingerprint(folder, lock, paths, scripts)
    if _is_current(folder, wanted):
        return folder
    with locking.exclusive(guard, f"environment {name}"):
        if _is_current(folder, wanted):  # another process has made it while we waited
            return folder
        started = time.monotonic()
        (folder / MARKER).unlink(missing_ok=True)
        _install(name, folder, lock)
        _write_paths(folder, paths)
        for command, target in scripts.items():
            _write_script(folder, command, target)
        # Last of all: without the marker the next call starts anew, however this one ended.
        _write_atomically(folder / MARKER, json.dumps(wanted, indent=1, sort_keys=True) + "\n")
        count = len(list(_site_packages(folder).glob("*.dist-info")))
        if report is not None:
            report(progress.line(f"environment {name}", f"{count} packages", time.monotonic() - started))
    return folder


def _fingerprint(folder: Path, lock: Path, paths: Sequence[Path], scripts: Mapping[str, str]) -> dict[str, object]:
    return {
        "layout": _LAYOUT,
        "folder": str(folder),  # an environment that was moved or copied does not work
        "lock": hashlib.sha256(lock.read_bytes()).hexdigest(),
        "paths": [str(path) for path in paths],
        "python": platform.python_version(),
        "scripts": dict(scripts),
    }


def _is_current(folder: Path, wanted: Mapping[str, object]) -> bool:
    marker = folder / MARKER
    if not marker.is_file() or not (folder / "bin" / "python").exists():
        return False
    return marker.read_text(encoding="utf-8") == json.dumps(wanted, indent=1, sort_keys=True) + "\n"


def _install(name: str, folder: Path, lock: Path) -> None:
    uv = _working_uv()
    if folder.exists():
        shutil.rmtree(folder)  # what is there is half-made, old, or made by somebody else: never built upon
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = str(folder / "bin" / "python")
    if uv:
        commands = [
            [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
            [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, str(lock)],
        ]
    else:
        commands = [
            [sys.executable, "-m", "venv", str(folder)],
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            + ["--require-hashes", "--requirement", str(lock)],
        ]
    for command in commands:
        code, last = progress.run(command, f"environment {name}", _clean_environment())
        if code != 0:
            raise InstallError(_failure(name, command, code, last))


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
    if "do not match the hashes" in shown.lower() or "hash mismatch" in shown.lower():
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
