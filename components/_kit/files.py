"""Folders and files as resources."""

import os
import secrets
import shutil
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from components._kit import disk, provider


class DirectoryProvider(provider.LocalProvider):
    """Keeps a folder with a mode."""

    declared = ("path", "mode", "purge")
    replacing = ("path",)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Makes the folder, or takes the one that is there."""
        _make(props)
        return dynamic.CreateResult(props["path"], provider.outs(props, self.declared))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Makes it again if it is gone, and sets its mode."""
        _make(_news)
        return dynamic.UpdateResult(provider.outs(_news, self.declared))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Tells whether it is there."""
        if not Path(props["path"]).is_dir():
            return dynamic.ReadResult("", {})
        found = {**props, "mode": f"{disk.mode_of(Path(props['path'])):04o}"}
        return dynamic.ReadResult(id_, provider.outs(found, self.declared), provider.outs(props, self.declared))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Removes the folder if it is empty, or with everything in it if `purge` is set; else data stays."""
        path = Path(_props["path"])
        if not path.is_dir():
            return
        if _props["purge"]:
            _purge(path)
        elif not any(path.iterdir()):
            path.rmdir()

    def as_declared(self, _olds: dict[str, Any], news: dict[str, Any]) -> bool:
        """Whether it is a folder with this mode."""
        path = Path(news["path"])
        return path.is_dir() and disk.mode_of(path) == int(news["mode"], 8)


def _make(props: dict[str, Any]) -> None:
    path = Path(props["path"])
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(int(props["mode"], 8))


def _purge(path: Path) -> None:
    """Removes a tree in which released artifacts and their folders are read-only."""
    for folder, _, _ in os.walk(path):
        os.chmod(folder, 0o700)
    shutil.rmtree(path)


class Directory(dynamic.Resource, module="local", name="Directory"):
    """A folder. What is in it outlives the resource, unless `purge` is set."""

    path: pulumi.Output[str]
    """Absolute path."""

    def __init__(
        self,
        name: str,
        *,
        path: pulumi.Input[str],
        mode: str = "0700",
        purge: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the folder.

        Args:
            name: Pulumi name.
            path: Absolute path; forces replacement.
            mode: Permission bits in octal.
            purge: Whether its content goes with it.
            opts: Resource options.
        """
        super().__init__(DirectoryProvider(), name, {"path": path, "mode": mode, "purge": purge}, opts)


class FileProvider(provider.LocalProvider):
    """Keeps a file with exactly this content and mode.

    A resource that is renamed without an alias is made under its new name before the old one is deleted, and both have
    the same path. So each leaves a mark of its own beside the file, and deletes only what carries its mark.
    """

    declared = ("path", "content", "mode")
    replacing = ("path",)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Writes the file in one step."""
        owner = secrets.token_hex(8)
        _write(props, owner)
        return dynamic.CreateResult(props["path"], provider.outs(props, self.declared, owner=owner))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Writes it again."""
        owner = _olds.get("owner") or secrets.token_hex(8)  # none in a state of before there were marks
        _write(_news, owner)
        return dynamic.UpdateResult(provider.outs(_news, self.declared, owner=owner))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Tells what it holds now."""
        path = Path(props["path"])
        if not path.is_file():
            return dynamic.ReadResult("", {})
        found = {**props, "content": path.read_text(errors="replace"), "mode": f"{disk.mode_of(path):04o}"}
        kept = provider.outs(found, self.declared, owner=props.get("owner"))
        return dynamic.ReadResult(id_, kept, provider.outs(props, self.declared))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Removes it, unless another resource has written it since."""
        mark = _mark(_props)
        if mark.is_file() and mark.read_text() != _props.get("owner"):
            return
        Path(_props["path"]).unlink(missing_ok=True)
        mark.unlink(missing_ok=True)

    def as_declared(self, _olds: dict[str, Any], news: dict[str, Any]) -> bool:
        """Whether the bytes and the mode are right."""
        return disk.holds(Path(news["path"]), news["content"].encode(), int(news["mode"], 8))


def _mark(props: dict[str, Any]) -> Path:
    path = Path(props["path"])
    return path.with_name(f".{path.name}.owner")


def _write(props: dict[str, Any], owner: str) -> None:
    """The mark first: between the two writes a delete of the former owner already leaves the file alone."""
    disk.write(_mark(props), owner.encode(), 0o600)
    disk.write(Path(props["path"]), props["content"].encode(), int(props["mode"], 8))


class File(dynamic.Resource, module="local", name="File"):
    """A file that the platform wrote and that nobody else should change."""

    path: pulumi.Output[str]
    """Absolute path."""
    content: pulumi.Output[str]
    """What it holds."""

    def __init__(
        self,
        name: str,
        *,
        path: pulumi.Input[str],
        content: pulumi.Input[str],
        mode: str = "0600",
        secret: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the file.

        Args:
            name: Pulumi name.
            path: Absolute path; forces replacement.
            content: What it holds.
            mode: Permission bits in octal.
            secret: Whether the content is a secret, kept encrypted in the state.
            opts: Resource options.
        """
        if secret:
            content = pulumi.Output.secret(content)
            opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(additional_secret_outputs=["content"]))
        super().__init__(FileProvider(), name, {"path": path, "content": content, "mode": mode}, opts)
