"""The content-addressed store keeps exactly the bytes it was given, or nothing."""

import errno
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlstep import store
from mlstep.canonical import digest_tree
from mlstep.errors import IntegrityError


def model(folder: Path, text: str = "weights") -> Path:
    """A folder with two files, one of them in a folder of its own."""
    (folder / "deep").mkdir(parents=True)
    (folder / "model.bin").write_text(text, encoding="utf-8")
    (folder / "deep" / "profile.json").write_text("{}", encoding="utf-8")
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    return folder


def test_put_keeps_bytes_under_their_tree_digest(tmp_path: Path) -> None:
    """What comes out is what went in, without the manifest, under the digest of its content."""
    source = model(tmp_path / "model")
    digest = store.put(tmp_path, source)
    kept = store.verify(tmp_path, digest)
    assert digest == digest_tree(source)
    assert sorted(path.name for path in kept.rglob("*") if path.is_file()) == ["model.bin", "profile.json"]


def test_put_twice_is_one_entry(tmp_path: Path) -> None:
    """The same bytes again change nothing."""
    source = model(tmp_path / "model")
    assert store.put(tmp_path, source) == store.put(tmp_path, source)
    assert len(list((tmp_path / "artifacts/store/sha256").iterdir())) == 1


def test_stored_files_are_read_only(tmp_path: Path) -> None:
    """No write permission is left on anything that was stored."""
    kept = store.verify(tmp_path, store.put(tmp_path, model(tmp_path / "model")))
    assert all(path.stat().st_mode & 0o222 == 0 for path in [kept, *kept.rglob("*")])


@pytest.mark.parametrize("change", ["edit", "add", "remove"])
def test_verify_sees_every_change(tmp_path: Path, change: str) -> None:
    """An edited, added or removed file is an integrity error that names the digest."""
    digest = store.put(tmp_path, model(tmp_path / "model"))
    kept = store.folder(tmp_path, digest)
    kept.chmod(0o755)
    target = kept / "model.bin"
    target.chmod(0o644)
    if change == "edit":
        target.write_text("other weights", encoding="utf-8")
    elif change == "add":
        (kept / "extra").write_text("x", encoding="utf-8")
    else:
        target.unlink()
    with pytest.raises(IntegrityError, match=digest):
        store.verify(tmp_path, digest)


def test_digest_cannot_be_a_path(tmp_path: Path) -> None:
    """A digest that is not 64 hexadecimal digits never becomes a path."""
    with pytest.raises(IntegrityError, match="not a SHA-256"):
        store.folder(tmp_path, "../../etc")


def test_full_disk_leaves_nothing_under_a_final_name(tmp_path: Path) -> None:
    """When the file system refuses more bytes, the store holds neither the digest nor a temporary folder."""
    source = model(tmp_path / "model", text="w" * 200_000)
    code = "import sys, pathlib; from mlstep import store; store.put(*map(pathlib.Path, sys.argv[1:]))"

    def limit_file_size() -> None:
        # The kernel then answers EFBIG, as it answers ENOSPC on a full disk.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = [sys.executable, "-c", code, str(tmp_path), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit_file_size)
    assert done.returncode != 0
    assert f"[Errno {errno.EFBIG}]" in done.stderr
    assert list((tmp_path / "artifacts/store/sha256").iterdir()) == []
