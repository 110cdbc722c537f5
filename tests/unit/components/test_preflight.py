"""What stands in the way of a first start is found before anything starts, and all of it at once."""

import socket
import sys
import tempfile
from pathlib import Path

import pytest

from components._kit import marks, preflight
from components._kit.program import unusable
from components._kit.supervisor import SupervisorProvider

MODULES = ["json", "no_such_module_a", "no_such_module_b"]


def test_nothing_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A free port, a writable folder and a complete environment are no problem."""
    monkeypatch.setattr(preflight, "free_memory_bytes", lambda: 3 * preflight.GIB)
    assert preflight.problems(str(tmp_path / "new" / "er"), sys.executable, [], ["json"]) == []
    assert list(tmp_path.iterdir()) == []  # a preview asks too, and a preview makes nothing


def test_everything_in_the_way_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folder, port, packages, memory and disk are told together, each with what to do."""
    monkeypatch.setattr(preflight, "free_memory_bytes", lambda: preflight.GIB // 2)
    monkeypatch.setattr(preflight, "NEEDED_DISK_GIB", 10**9)
    (tmp_path / "file").write_text("in the way")
    root = str(tmp_path / "file" / ("x" * 100))
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        found = preflight.problems(root, sys.executable, [port], MODULES)
    told = (
        "choose a shorter data_dir",
        "file is no folder)",
        f"port {port} on 127.0.0.1 is taken by process",
        "lacks no_such_module_a, no_such_module_b",
        "0.5 GiB of memory are free, 2 GiB are needed",
        "GiB of disk are free",
    )
    assert len(found) == len(told)
    for problem, part in zip(found, told, strict=True):
        assert part in problem


def test_own_port_is_no_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that a process of the same root holds is as it should be."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        holders = marks.port_holders(port)
        monkeypatch.setattr(marks, "find", lambda _root: holders)
        assert preflight.port_problems(str(tmp_path), [port]) == []


def test_folder_without_the_right_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that somebody else owns is told by name."""
    # Short: the path of a unix socket is limited, and pytest's own folders may be too long.
    with tempfile.TemporaryDirectory(prefix="strata-") as folder:
        monkeypatch.setattr("os.access", lambda place, _mode: place != Path(folder))
        assert preflight.folder_problems("/" + "x" * 20) == []
        assert f"no right to write in {folder}" in preflight.folder_problems(f"{folder}/new")[0]


def test_python_that_is_not_there(tmp_path: Path) -> None:
    """A missing or broken interpreter is told with its path and the remedy."""
    missing = str(tmp_path / "python")
    assert "cannot be started (No such file or directory)" in preflight.python_problems(missing, [])[0]
    (tmp_path / "python").write_text("#!/bin/sh\necho broken >&2\nexit 4\n")
    (tmp_path / "python").chmod(0o700)
    assert "does not work: broken" in preflight.python_problems(missing, [])[0]


@pytest.mark.parametrize(("path", "wrong"), [("/srv/a", []), ("/srv/a b", [" "]), ("/srv/%d;#", ["#", "%", ";"])])
def test_characters_that_the_supervisor_would_read(path: str, wrong: list[str]) -> None:
    """A path with a character that means something in the supervisor's configuration is refused."""
    assert unusable(path) == wrong


def test_preview_before_the_environment_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first preview does not ask for an interpreter that `up` will make; `up` itself does."""
    monkeypatch.setattr(preflight, "free_memory_bytes", lambda: 3 * preflight.GIB)
    wanted = {"root": str(tmp_path), "python": str(tmp_path / "python"), "ports": [], "modules": ["json"]}
    provider = SupervisorProvider()
    assert provider.check({}, wanted).failures == []
    with pytest.raises(RuntimeError, match="cannot be started"):
        provider.create(wanted)
