"""Puts our language host beside a Pulumi CLI that was built here: its code, its environment, its two start scripts."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools import environments

_SOURCE = Path(__file__).resolve().parent / "language_host"
_LOCK = _SOURCE / "requirements.txt"

# The engine starts it in the folder of the project, with its own address as the last argument.
_LANGUAGE = """#!/bin/sh
exec "{host}/venv/bin/python" -P -u -m tools.language_host "$@"
"""

# Dynamic providers run the project's own classes, so they need the project's own Python.
_DYNAMIC = """#!/bin/sh
folder="${{PULUMI_RUNTIME_VIRTUALENV:-}}"
if [ -z "$folder" ]; then
    exec "${{PULUMI_PYTHON_CMD:-python3}}" -u "{host}/lib/tools/language_host/dynamic.py" "$@"
fi
case "$folder" in
    /*) ;;
    *) folder="$PWD/$folder" ;;
esac
if [ ! -f "$folder/bin/python" ]; then
    echo "runtime.options.virtualenv names $folder, which is not a virtual environment. Create it:" >&2
    echo "    python3 -m venv $folder && $folder/bin/python -m pip install -r requirements.txt" >&2
    exit 1
fi
unset PYTHONHOME
VIRTUAL_ENV="$folder" PATH="$folder/bin:$PATH" exec "$folder/bin/python" -u \\
    "{host}/lib/tools/language_host/dynamic.py" "$@"
"""


class HostError(RuntimeError):
    """The language host could not be put in place."""


def install(folder: Path, report: Callable[[str], None]) -> None:
    """Make `folder`/bin/pulumi-language-python start the host of this clone; nothing is done when it does already.

    Each state of the host's code has its own folder, so a running engine keeps the one that it has started.

    Raises:
        HostError: its environment could not be made.
    """
    host = folder / f"host-{_digest()[:12]}"
    try:
        _copy_code(host)
        plan = environments.Plan("language host", host / "venv", _LOCK, (host / "lib",), {}, folder / "host.lock")
        environments.build(plan, report)
    except environments.InstallError as error:
        raise HostError(str(error)) from error
    for name, text in (("pulumi-language-python", _LANGUAGE), ("pulumi-resource-pulumi-python", _DYNAMIC)):
        _write_program(folder / "bin" / name, text.format(host=host))


def _digest() -> str:
    """Digest of everything that makes the host what it is."""
    state = hashlib.sha256()
    for path in [*sorted(_SOURCE.glob("*.py")), _LOCK]:
        state.update(f"{path.name}\n".encode() + path.read_bytes() + b"\n")
    return state.hexdigest()


def _copy_code(host: Path) -> None:
    target = host / "lib" / "tools"
    if target.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix="tools-", dir=target.parent))
    shutil.copytree(_SOURCE, temporary / "language_host", ignore=shutil.ignore_patterns("__pycache__", "*.in", "*.txt"))
    shutil.copyfile(_SOURCE.parent / "__init__.py", temporary / "__init__.py")
    temporary.chmod(0o755)
    os.rename(temporary, target)


def _write_program(path: Path, text: str) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o755)
    os.replace(new, path)
