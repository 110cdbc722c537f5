"""The content-addressed, write-once store of released bytes: `<root>/artifacts/store/sha256/<digest>/`."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

from mlstep.canonical import MANIFEST, digest_tree
from mlstep.errors import IntegrityError

_READ_ONLY_FILE = stat.S_IRUSR | stat.S_IRGRP
_READ_ONLY_FOLDER = _READ_ONLY_FILE | stat.S_IXUSR | stat.S_IXGRP


def folder(root: Path, digest: str) -> Path:
    """Where the bytes of a digest are, whether or not they exist.

    Raises:
        IntegrityError: not a SHA-256 in lower-case hexadecimal, so not a path below the store.
    """
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise IntegrityError(f"{digest!r} is not a SHA-256 digest", "give 64 hexadecimal digits")
    return root / "artifacts" / "store" / "sha256" / digest


def uri(digest: str) -> str:
    """The content address by which MLflow names a version's source.

    No `mlflow-artifacts:` address: since 3.17 MLflow accepts those below a run's own artifacts only, and
    whoever owns the
    run may delete them. Bytes are fetched from the store, by digest.
    """
    return f"strata-store:/sha256/{digest}"


def put(root: Path, source: Path) -> str:
    """Copy a folder (its manifest left out) into the store under its tree digest; a digest that is there is verified.

    The copy is made under a temporary name, flushed, set read-only and renamed, so a full disk or a crash
    leaves nothing under a final name.

    Raises:
        IntegrityError: the digest is in the store with other bytes.
        OSError: the store cannot be written.
    """
    digest = digest_tree(source)
    target = folder(root, digest)
    if target.exists():
        verify(root, digest)
        return digest
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".put-", dir=target.parent))
    try:
        _copy(source, temporary)
        if digest_tree(temporary) != digest:
            raise IntegrityError(
                f"{source} changed while it was copied", "let nothing write into a step's output, and run again"
            )
        _seal(temporary)
        _rename(temporary, target)
    except BaseException:
        _remove(temporary)
        raise
    return digest


def verify(root: Path, digest: str) -> Path:
    """The folder of a digest, after hashing every byte in it.

    Raises:
        IntegrityError: not in the store, or its bytes are others.
    """
    path = folder(root, digest)
    if not path.is_dir():
        raise IntegrityError(f"{digest} is not in the store ({path})", "register the model again from its run")
    found = digest_tree(path)
    if found != digest:
        raise IntegrityError(
            f"bytes of {digest} were changed (now {found})",
            "restore the folder from a backup; nothing loads these bytes",
        )
    return path


def _copy(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if path.is_dir():
            (target / relative).mkdir(parents=True, exist_ok=True)
        elif relative != Path(MANIFEST):
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / relative)
            _flush(target / relative)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _seal(path: Path) -> None:
    for entry in sorted(path.rglob("*"), reverse=True):
        entry.chmod(_READ_ONLY_FOLDER if entry.is_dir() else _READ_ONLY_FILE)


def _rename(temporary: Path, target: Path) -> None:
    try:
        temporary.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        _remove(temporary)  # Somebody else stored the same bytes first.
    target.chmod(_READ_ONLY_FOLDER)


def _remove(path: Path) -> None:
    if not path.exists():
        return
    for entry in [path, *path.rglob("*")]:
        if entry.is_dir():
            entry.chmod(stat.S_IRWXU)
    shutil.rmtree(path)
