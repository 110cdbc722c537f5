"""Lock files: compiled from the `.in` file beside them, and checked without network and without uv.

The first lines of a lock file carry two digests: one of what it was compiled from (the `.in` file and all it includes),
one of what was compiled. So both a changed `.in` file and a lock file edited by hand are seen.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

# Input files and where their `.txt` goes is always beside them. The order matters: a later one may include an earlier.
INPUTS = (
    "requirements.in",
    "pipelines/requirements.in",
    "pipelines/features/requirements.in",
    "policies/requirements.in",
    "tools/language_host/requirements.in",
    "requirements-dev.in",
)
_COMPILED_FROM = "# compiled from sha256:"
_CONTENT = "# content sha256:"


class LockFileError(RuntimeError):
    """Lock files are out of date, or could not be compiled; the message names every one of them and the remedy."""


def check(root: Path) -> None:
    """Compare every lock file's digests with what is there.

    Raises:
        LockFileError: with all differences.
    """
    problems = [problem for name in INPUTS for problem in _problems(root, root / name)]
    if problems:
        raise LockFileError("lock files are not up to date; run: make lock\n" + "\n".join(problems))


def compile_all(root: Path) -> None:
    """Compile every lock file, keeping the versions that still fit.

    Raises:
        LockFileError: no uv, or it failed; then no lock file is left half-written.
    """
    uv = shutil.which("uv")
    if uv is None:
        raise LockFileError("`make lock` needs uv (https://docs.astral.sh/uv); nothing else does")
    for name in INPUTS:
        source = root / name
        if source.is_file():
            _compile(uv, root, source)


def stamp(root: Path, source: Path, compiled: str) -> str:
    """The lock file's text with its digests, from the text that the compiler wrote."""
    body = _body(compiled)
    return f"{_COMPILED_FROM}{_source_digest(root, source)}\n{_CONTENT}{_digest(body)}\n{body}"


def _compile(uv: str, root: Path, source: Path) -> None:
    target = source.with_suffix(".txt")
    new = target.with_name(target.name + ".new")
    # uv takes the versions of its output file as preferences: a lock changes only where it must.
    if target.is_file():
        shutil.copyfile(target, new)
    command = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", "3.11"]
    command += ["--custom-compile-command", "make lock", str(source.relative_to(root)), "-o", str(new)]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LockFileError(f"{source.relative_to(root)} could not be compiled:\n{done.stderr.strip()[-2000:]}")
        new.write_text(stamp(root, source, new.read_text(encoding="utf-8")), encoding="utf-8")
        os.replace(new, target)
    finally:
        new.unlink(missing_ok=True)


def _problems(root: Path, source: Path) -> list[str]:
    target = source.with_suffix(".txt")
    name = target.relative_to(root)
    missing = [str(path.relative_to(root)) for path in (source, target) if not path.is_file()]
    if missing:
        return [f"  {path}: missing" for path in missing]
    text = target.read_text(encoding="utf-8")
    problems = []
    if f"{_COMPILED_FROM}{_source_digest(root, source)}\n" not in text:
        problems.append(f"  {name}: not compiled from the present {source.name}")
    if f"{_CONTENT}{_digest(_body(text))}\n" not in text:
        problems.append(f"  {name}: was edited after it was compiled")
    return problems


def _source_digest(root: Path, source: Path) -> str:
    """Digest of what the input asks for, so that a comment may change without a new compilation."""
    asked = [line.split(" #")[0].strip() for line in _with_includes(root, source)]
    return _digest("\n".join(line for line in asked if line and not line.startswith("#")))


def _with_includes(root: Path, source: Path) -> list[str]:
    lines: list[str] = []
    for line in source.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            # uv reads an include relative to the file that names it.
            lines += _with_includes(root, source.parent / line.removeprefix("-r ").strip())
        else:
            lines.append(line)
    return lines


def _body(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith((_COMPILED_FROM, _CONTENT)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
