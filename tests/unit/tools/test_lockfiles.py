"""A lock file that does not fit its input is seen without network and without uv."""

from pathlib import Path

import pytest

from tools import lockfiles
from tools.lockfiles import LockFileError

REPOSITORY = Path(lockfiles.__file__).parents[1]
INPUT = "# Why these.\nfirst>=1  # the first one\n-r base/other.in\n"
COMPILED = "# This file was compiled.\nfirst==1.2 --hash=sha256:aa\nsecond==2.0 --hash=sha256:bb\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one lock file, up to date, whose input includes another."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "other.in").write_text("second==2.0\n")
    (tmp_path / "own.in").write_text(INPUT)
    (tmp_path / "own.txt").write_text(lockfiles.stamp(tmp_path, tmp_path / "own.in", COMPILED))
    monkeypatch.setattr(lockfiles, "INPUTS", ("own.in",))
    return tmp_path


def test_up_to_date(root: Path) -> None:
    """What was stamped passes, and stamping again changes no byte."""
    lockfiles.check(root)
    text = (root / "own.txt").read_text()
    assert lockfiles.stamp(root, root / "own.in", text) == text


def test_comments_may_change(root: Path) -> None:
    """A better reason beside a requirement asks for no new compilation."""
    (root / "own.in").write_text(INPUT.replace("Why these", "Why exactly these").replace("the first one", "ours"))
    lockfiles.check(root)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("own.in", "first>=1", "first>=2", "not compiled from the present own.in"),
        ("base/other.in", "2.0", "2.1", "not compiled from the present own.in"),
        ("own.txt", "first==1.2", "first==1.3", "was edited after it was compiled"),
        ("own.txt", "sha256:aa", "sha256:ab", "was edited after it was compiled"),
    ],
)
def test_changes_are_seen(root: Path, file: str, old: str, new: str, words: str) -> None:
    """A changed input, also an included one, and an edited lock file are each named with the remedy."""
    path = root / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(LockFileError, match=words) as caught:
        lockfiles.check(root)
    assert "run: make lock" in str(caught.value)


def test_all_problems_in_one_message(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two missing files and one that is out of date come together."""
    (root / "own.in").write_text("first>=2\n")
    monkeypatch.setattr(lockfiles, "INPUTS", ("own.in", "absent.in"))
    with pytest.raises(LockFileError) as caught:
        lockfiles.check(root)
    assert all(name in str(caught.value) for name in ("own.txt", "absent.in", "absent.txt"))


def test_failed_compilation_leaves_the_lock_file(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the compiler wrote before it failed is thrown away."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "uv").write_text(
        "#!/bin/sh\nfor last; do :; done\necho half > \"$last\"\necho 'no way out' >&2\nexit 1\n"
    )
    (programs / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    before = (root / "own.txt").read_text()
    with pytest.raises(LockFileError, match="no way out"):
        lockfiles.compile_all(root)
    assert (root / "own.txt").read_text() == before
    assert sorted(path.name for path in root.glob("own*")) == ["own.in", "own.txt"]


def test_without_uv(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling says what is missing."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LockFileError, match="needs uv"):
        lockfiles.compile_all(root)


def test_every_input_of_the_repository_is_known() -> None:
    """A new `.in` file that nobody compiles would be noticed here."""
    ignored = {".venv", ".strata", ".git"}
    found = {
        str(path.relative_to(REPOSITORY))
        for path in REPOSITORY.rglob("requirements*.in")
        if ignored.isdisjoint(path.relative_to(REPOSITORY).parts)
    }
    assert found == set(lockfiles.INPUTS)
