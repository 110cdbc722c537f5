"""Starts and ends the supervisor of one platform folder (the process; the resource is in `supervisor.py`)."""

import os
import subprocess
import time
from pathlib import Path

from components._kit import disk, marks, rpc

NAME = "supervisord"
START_SECONDS = 30.0
STOP_SECONDS = 60.0


def folder(root: str) -> Path:
    """Where the supervisor's own files are."""
    return Path(root, "supervisor")


def socket_path(root: str) -> str:
    """Its control socket, mode 0600."""
    return str(folder(root) / "supervisor.sock")


def lock_path(root: str) -> Path:
    """Held by whoever changes what the supervisor knows."""
    return folder(root) / "lock"


def config_path(root: str) -> Path:
    """Its configuration, written by us and by nobody else."""
    return folder(root) / "supervisord.conf"


def programs(root: str) -> Path:
    """One `.ini` (what the supervisor needs) and one `.json` (what the launcher needs) per process."""
    return folder(root) / "programs"


def config(root: str) -> bytes:
    """The configuration as bytes; the same root gives the same bytes."""
    place = folder(root)
    lines = [
        "[supervisord]",
        f"logfile={root}/logs/supervisord.log",
        "logfile_maxbytes=5MB",
        "logfile_backups=3",
        f"pidfile={place}/supervisord.pid",
        f"childlogdir={root}/logs",
        "nodaemon=true",
        "silent=true",
        "",
        "[unix_http_server]",
        f"file={place}/supervisor.sock",
        "chmod=0600",
        "",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
        "",
        "[include]",
        f"files = {place}/programs/*.ini",
        "",
    ]
    return "\n".join(lines).encode()


def ensure(root: str, python: str) -> None:
    """Makes sure that one supervisor runs with the right configuration; a running one is left alone.

    Raises:
        RuntimeError: if it does not answer in time; the message has its last words.
    """
    with disk.lock(lock_path(root)):  # two starts at once would make two supervisors
        programs(root).mkdir(parents=True, exist_ok=True, mode=0o700)
        Path(root, "logs").mkdir(exist_ok=True, mode=0o700)
        changed = disk.write(config_path(root), config(root), 0o600)
        if rpc.alive(socket_path(root)) and not changed:
            return
        stop(root)
        _start(root, python)


def _start(root: str, python: str) -> None:
    words = Path(root, "logs", "supervisord.start")
    with open(words, "wb") as stream:
        # A session of its own: it outlives the engine, whose end must not stop the platform.
        process = subprocess.Popen(
            [python, "-I", "-m", "supervisor.supervisord", "-n", "-c", str(config_path(root))],
            cwd=root,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", marks.MARK: marks.mark(root, NAME)},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            umask=0o077,
        )
    deadline = time.monotonic() + START_SECONDS
    while not rpc.alive(socket_path(root)):
        if process.poll() is not None or time.monotonic() > deadline:
            said = words.read_text(errors="replace").strip() or "it said nothing"
            marks.end(root, NAME)
            raise RuntimeError(f"the supervisor of {root} did not start: {said}")
        time.sleep(0.05)
    words.unlink()


def stop(root: str) -> None:
    """Ends the supervisor and every process of the root, also when the supervisor is already gone."""
    try:
        rpc.call(socket_path(root), "shutdown", tolerate=(rpc.SHUTTING_DOWN,))
        deadline = time.monotonic() + STOP_SECONDS
        while marks.find(root) and time.monotonic() < deadline:
            time.sleep(0.1)
    except (rpc.SupervisorGoneError, TimeoutError):
        pass  # what it left behind is ended below, by mark
    marks.end(root)
    for stale in ("supervisor.sock", "supervisord.pid"):
        (folder(root) / stale).unlink(missing_ok=True)


def remove(root: str) -> None:
    """Ends everything and removes the supervisor's own files; data and logs stay."""
    if not folder(root).is_dir():
        marks.end(root)  # somebody removed the folder under running processes
        return
    with disk.lock(lock_path(root)):
        stop(root)
        # Also programs of resources that never reached the state, because the engine died while making them.
        for file in [*programs(root).glob("*"), *(folder(root) / "groups").glob("*"), config_path(root)]:
            file.unlink(missing_ok=True)
    for empty in (programs(root), folder(root) / "groups"):
        if empty.is_dir():
            os.rmdir(empty)
    lock_path(root).unlink(missing_ok=True)
