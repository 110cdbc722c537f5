"""The folder of a platform on one machine, and which folders are fit for it."""

from __future__ import annotations

from pathlib import Path

PORTS_PER_ENVIRONMENT = 10
"""Consecutive ports an environment occupies, from ports.base on."""

LONGEST_SOCKET_PATH = 99
"""Bytes; a unix socket's path is limited to 104 (macOS) or 108 (Linux) bytes including its end mark."""


def platform_root(workspace: str, environment: str, data_dir: str | None) -> Path:
    """Return the folder that holds everything of one environment."""
    if data_dir:
        return Path(data_dir).expanduser()
    return Path.home() / ".local" / "share" / "strata" / f"{workspace}-{environment}"


def folder_problem(folder: Path, repository: Path) -> tuple[str, str] | None:
    """Return what is wrong with a platform folder and the remedy, or None."""
    text = str(folder)
    if not folder.is_absolute() or ".." in folder.parts:
        return f"{text} is not an absolute path", "start with / or ~ and use no .."
    if any(character.isspace() for character in text):
        return f"{text!r} contains a space", "choose a folder without spaces: the process supervisor splits at them"
    if any(character in text for character in "%;'\"\\$"):
        return f"{text} contains one of % ; ' \" \\ $", "choose a folder of plain letters, digits, - _ and ."
    # `down --purge` removes this folder, so it must never hold anything else.
    if folder == Path.home() or folder in Path.home().parents or folder in (repository, *repository.parents):
        return (
            f"{text} holds more than this platform",
            "choose a folder of its own, for example below ~/.local/share/strata",
        )
    socket = len(str(folder / "supervisor" / "supervisor.sock").encode())
    if socket > LONGEST_SOCKET_PATH:
        return (
            f"{text} makes a socket path of {socket} bytes",
            f"shorten it by {socket - LONGEST_SOCKET_PATH} bytes or more",
        )
    return None
