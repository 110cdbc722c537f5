"""Canonical bytes, digests, atomic files and the clock: the same input gives the same bytes."""

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
_BLOCK = 1 << 20


def dumps(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no NaN.

    Raises:
        ValueError: the value holds NaN or infinity, which JSON does not know.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def pretty(value: Any) -> str:
    """Readable JSON with sorted keys and a final line feed."""
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def digest_bytes(data: bytes) -> str:
    """SHA-256 of bytes, in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def digest_json(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    return digest_bytes(dumps(value).encode())


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks of 1 MiB."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def list_files(folder: Path) -> list[dict[str, Any]]:
    """Every file below a folder but its manifest, as {path, sha256, bytes}, sorted by path."""
    return [
        {"path": path.relative_to(folder).as_posix(), "sha256": digest_file(path), "bytes": path.stat().st_size}
        for path in _walk(folder)
    ]


def tree_digest(files: list[dict[str, Any]]) -> str:
    """One digest for a list made by `list_files`: names and contents, not times or owners."""
    return digest_json([[entry["path"], entry["sha256"]] for entry in files])


def digest_tree(folder: Path) -> str:
    """Tree digest of a folder, its manifest left out."""
    return tree_digest(list_files(folder))


def write_atomic(path: Path, data: bytes | str, mode: int = 0o644, *, durable: bool = True) -> None:
    """Write a file under a temporary name, flush it to the disk, then rename: no half file under the final name.

    Args:
        durable: wait for the disk; without it a power cut, not a crash, may lose the newest version.

    Raises:
        OSError: the disk is full or the folder cannot be written; the temporary file is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: importing it costs every step process more than this file does.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data.encode() if isinstance(data, str) else data)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Any:
    """Parse a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def now() -> datetime:
    """The time in UTC; `STRATA_NOW` (ISO 8601) fixes it, for reproducible bytes."""
    fixed = os.environ.get("STRATA_NOW")
    if fixed is None:
        return datetime.now(UTC)
    return datetime.fromisoformat(fixed).astimezone(UTC)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _walk(folder: Path) -> Iterator[Path]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return (path for path in paths if path != folder / MANIFEST)
