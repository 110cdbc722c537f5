"""The providers of files, folders, secrets and keys, called as the engine calls them."""

import base64
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.rpc import UNKNOWN

from components._kit import disk, provider
from components._kit.environment import EnvironmentProvider
from components._kit.files import DirectoryProvider, FileProvider
from components._kit.mlflow_access import MlflowAccessProvider
from components._kit.process import ProcessProvider
from components._kit.secrets import KeyPairProvider, SecretProvider
from components._kit.supervisor import SupervisorProvider

ALL = (
    DirectoryProvider,
    EnvironmentProvider,
    FileProvider,
    KeyPairProvider,
    MlflowAccessProvider,
    ProcessProvider,
    SecretProvider,
    SupervisorProvider,
)


@pytest.mark.parametrize("kind", ALL)
def test_provider_is_kept_by_reference(kind: type[provider.LocalProvider]) -> None:
    """The state holds the provider's name, not its code or data, and not as a secret."""
    pickled = base64.b64decode(serialize_provider(kind()))
    assert len(pickled) < 120
    assert kind.__module__.encode() in pickled
    assert kind.serialize_as_secret_always is False


def _changes(of: provider.LocalProvider, olds: dict[str, Any], news: dict[str, Any]) -> tuple[bool | None, list[str]]:
    found = of.diff("id", {**olds, "__provider": "old"}, {**news, "__provider": "new"})
    assert found.delete_before_replace
    return found.changes, found.replaces or []


def test_file_is_compared_with_the_world(tmp_path: Path) -> None:
    """Content or mode changed by somebody else differ; another path is a replacement; a new provider is no change."""
    files = FileProvider()
    props = {"path": str(tmp_path / "f"), "content": "one", "mode": "0600"}
    olds = files.create(props).outs or {}
    assert {**olds, "owner": None} == {**props, "owner": None}
    assert _changes(files, olds, props) == (False, [])
    (tmp_path / "f").chmod(0o644)
    assert _changes(files, olds, props) == (True, [])
    assert files.update("id", olds, props).outs == olds
    assert disk.mode_of(tmp_path / "f") == 0o600
    (tmp_path / "f").write_text("two")
    assert _changes(files, olds, props) == (True, [])
    assert (files.read("id", props).outs or {})["content"] == "two"
    assert _changes(files, olds, {**props, "path": str(tmp_path / "g")}) == (True, ["path"])
    assert _changes(files, olds, {**props, "content": UNKNOWN})[0]
    files.delete("id", olds)
    files.delete("id", olds)
    assert files.read("id", olds).id == ""
    assert list(tmp_path.iterdir()) == []


def test_renamed_file_survives_the_end_of_its_old_name(tmp_path: Path) -> None:
    """The old name's delete leaves what the new name wrote, with the same path and content; refresh keeps owners."""
    files = FileProvider()
    props = {"path": str(tmp_path / "f"), "content": "one", "mode": "0600"}
    old = files.create(props).outs or {}
    new = files.create(props).outs or {}
    assert (files.read("id", new).outs or {}) == new
    files.delete("id", old)
    files.delete("id", props)  # a state of before there were owners
    assert (tmp_path / "f").read_text() == "one"
    files.delete("id", new)
    assert list(tmp_path.iterdir()) == []


def test_file_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails while writing leaves the old content and no draft."""
    path = tmp_path / "f"
    disk.write(path, b"old", 0o600)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        disk.write(path, b"new", 0o600)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_keeps_data_unless_purged(tmp_path: Path) -> None:
    """Delete removes an empty folder, keeps one with data, and with `purge` removes even what is read-only."""
    folders = DirectoryProvider()
    props = {"path": str(tmp_path / "d"), "mode": "0700", "purge": False}
    olds = folders.create(props).outs or {}
    assert _changes(folders, olds, props) == (False, [])
    released = tmp_path / "d" / "released"
    released.mkdir()
    (released / "model").write_text("bytes")
    (released / "model").chmod(0o400)
    released.chmod(0o500)
    folders.delete("id", props)
    assert (released / "model").exists()
    folders.delete("id", {**props, "purge": True})
    assert not (tmp_path / "d").exists()
    assert _changes(folders, olds, props) == (True, [])
    folders.create(props)
    folders.delete("id", props)
    assert not (tmp_path / "d").exists()


def test_secret_is_made_once(tmp_path: Path) -> None:
    """The value survives a lost file, a hand-made change, and a destroy; two secrets differ; the file is private."""
    secrets = SecretProvider()
    props = {"path": str(tmp_path / "s"), "strength": 32}
    olds = secrets.create(props).outs or {}
    assert len(olds["value"]) >= 43
    assert disk.holds(tmp_path / "s", olds["value"].encode(), 0o600)
    (tmp_path / "s").write_text("changed")
    assert _changes(secrets, olds, props) == (True, [])
    assert (secrets.update("id", {**olds, "__provider": "p"}, props).outs or {}) == olds
    assert _changes(secrets, olds, props) == (False, [])
    secrets.delete("id", olds)
    assert (secrets.create(props).outs or {}) == olds
    other = secrets.create({"path": str(tmp_path / "t"), "strength": 32}).outs or {}
    assert other["value"] != olds["value"]


def test_key_pair_is_made_once_and_checked(tmp_path: Path) -> None:
    """The public key belongs to the private one in the file, is found again, and a damaged file is refused by name."""
    keys = KeyPairProvider()
    props = {"path": str(tmp_path / "k")}
    olds = keys.create(props).outs or {}
    assert len(base64.b64decode(olds["public_key"])) == len(base64.b64decode(olds["private_key"])) == 32
    assert (tmp_path / "k").read_text() == olds["private_key"]
    assert keys.create(props).outs == olds
    (tmp_path / "k").write_text("bm90IGEga2V5")
    with pytest.raises(RuntimeError, match=r"/k should hold the base64 of 32 raw bytes"):
        keys.create(props)
