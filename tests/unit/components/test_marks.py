"""Finding processes by their mark, and telling who holds a port."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components._kit import marks

SLEEP = "print('on', flush=True); import time; time.sleep(600)"


def _marked(root: str, name: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEP],
        env={**os.environ, marks.MARK: marks.mark(root, name)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    return process


def test_found_by_root_and_name_only(tmp_path: Path) -> None:
    """A root that lies below another, or a name that begins like another, is not confused with it."""
    outer, inner = str(tmp_path), str(tmp_path / "inner")
    first, longer, below = _marked(outer, "a"), _marked(outer, "ab"), _marked(inner, "a")
    assert marks.find(outer, "a") == [first.pid]
    assert marks.find(outer) == sorted([first.pid, longer.pid])
    assert marks.find(inner) == [below.pid]
    assert marks.end(outer) == sorted([first.pid, longer.pid])
    assert marks.find(inner) == [below.pid]
    assert marks.end(inner, seconds=0) == [below.pid]
    for process in (first, longer, below):
        process.wait(timeout=10)


def test_ending_nothing_is_no_error(tmp_path: Path) -> None:
    """A root without processes has nothing to end."""
    assert marks.end(str(tmp_path)) == []


def test_port_and_its_holder() -> None:
    """A listening port is taken, and its holder is this process; once closed it is free."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        assert not marks.port_is_free(port)
        assert marks.port_holders(port) == [os.getpid()]
        assert marks.describe(os.getpid()).startswith(f"process {os.getpid()} (")
    assert marks.port_is_free(port)
    assert marks.port_holders(port) == []


def test_group_file_stands_in_where_there_is_no_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without /proc the recorded process group finds a member, but not one that is older than the record."""
    monkeypatch.setattr(marks, "LINUX", False)
    process = _marked(str(tmp_path), "it")
    try:
        path = marks.group_file(str(tmp_path), "it")
        path.parent.mkdir(parents=True)
        path.write_text(f'{{"group": {process.pid}, "started": {time.time() - 2}}}')
        assert marks.find(str(tmp_path), "it") == [process.pid]
        assert marks.find(str(tmp_path)) == [process.pid]
        path.write_text(f'{{"group": {process.pid}, "started": {time.time() + 3600}}}')
        assert marks.find(str(tmp_path), "it") == []
    finally:
        process.kill()
        process.wait()
