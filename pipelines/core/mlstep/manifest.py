"""Manifests: what a step's output is made of, and from what. The chain of manifests is the evidence."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mlstep.canonical import (
    MANIFEST,
    digest_file,
    digest_json,
    digest_tree,
    list_files,
    pretty,
    read_json,
    tree_digest,
    write_atomic,
)
from mlstep.errors import IntegrityError

MANIFEST_VERSION = 1


@dataclass(frozen=True)
class Origin:
    """What all outputs of one step run share."""

    step: str
    run: str
    inputs: dict[str, dict[str, Any]]
    config_digest: str
    started: str
    ended: str


def write_manifest(
    folder: Path, output: str, origin: Origin, rows: int | None, schema: list[dict[str, str]] | None
) -> str:
    """Write `manifest.json` into an output's folder and return the output's tree digest."""
    files = list_files(folder)
    digest = tree_digest(files)
    content = {
        "manifest_version": MANIFEST_VERSION,
        "output": output,
        "step": origin.step,
        "run": origin.run,
        "files": files,
        "digest": digest,
        "rows": rows,
        "schema": schema,
        "inputs": origin.inputs,
        "config_digest": origin.config_digest,
        "git_commit": git_commit(),
        "code_digest": code_digest(),
        "image_digest": os.environ.get("STRATA_IMAGE_DIGEST"),
        "started": origin.started,
        "ended": origin.ended,
    }
    write_atomic(folder / MANIFEST, pretty(content))
    return digest


def verify_manifest(folder: Path) -> dict[str, Any]:
    """Read a folder's manifest and compare every file with it.

    Raises:
        IntegrityError: no manifest, or a file is missing, added or changed; the message names all of them.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise IntegrityError(f"{folder}: no {MANIFEST}", "give the output folder of a step, or run the step again")
    manifest: dict[str, Any] = read_json(path)
    problems = _differences(manifest["files"], list_files(folder))
    if manifest["digest"] != tree_digest(manifest["files"]):
        problems.append(f"{MANIFEST}: its digest does not match its own list of files")
    if problems:
        raise IntegrityError(
            f"{folder} does not match its manifest: " + "; ".join(problems), "run the step again; do not edit outputs"
        )
    return manifest


def describe_input(path: Path) -> dict[str, Any]:
    """Digest one input.

    A step's output folder is verified against its manifest, a folder of the content-addressed store against its own
    name; a plain file is hashed.

    Raises:
        IntegrityError: missing, or its bytes do not match.
    """
    if path.is_dir() and _is_stored(path):
        return {"uri": str(path), "digest": _verify_stored(path)}
    if path.is_dir():
        manifest = verify_manifest(path)
        return {
            "uri": str(path),
            "digest": manifest["digest"],
            "rows": manifest["rows"],
            "step": manifest["step"],
            "run": manifest["run"],
        }
    if not path.is_file():
        raise IntegrityError(f"{path} does not exist", "check the path given to --in")
    return {"uri": str(path), "digest": digest_file(path)}


@cache
def git_commit() -> str | None:
    """The commit of the code, from `STRATA_GIT_COMMIT` or the repository around this file; None outside one."""
    named = os.environ.get("STRATA_GIT_COMMIT")
    if named is not None:
        return named or None
    import subprocess

    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@cache
def code_digest() -> str:
    """One digest over the Python files of all step packages beside this one, so that uncommitted code is seen too."""
    named = os.environ.get("STRATA_CODE_DIGEST")
    if named:
        return named
    packages = Path(__file__).parents[2]
    sources = sorted(packages.glob("*/mlstep*/**/*.py"))
    return digest_json([[path.relative_to(packages).as_posix(), digest_file(path)] for path in sources])


def _is_stored(path: Path) -> bool:
    return path.parent.name == "sha256" and len(path.name) == 64 and not (path / MANIFEST).exists()


def _verify_stored(path: Path) -> str:
    found = digest_tree(path)
    if found != path.name:
        raise IntegrityError(
            f"bytes of {path} were changed (now {found})", "restore the folder from a backup; nothing reads these bytes"
        )
    return found


def _differences(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    wanted = {entry["path"]: entry["sha256"] for entry in expected}
    actual = {entry["path"]: entry["sha256"] for entry in found}
    problems = [f"{path}: missing" for path in sorted(wanted.keys() - actual.keys())]
    problems += [f"{path}: not in the manifest" for path in sorted(actual.keys() - wanted.keys())]
    problems += [
        f"{path}: bytes differ" for path in sorted(wanted.keys() & actual.keys()) if wanted[path] != actual[path]
    ]
    return problems
