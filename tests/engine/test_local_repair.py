"""Whatever ends processes from outside is seen, and repaired by the supervisor or by the next up."""

import os
import shutil
import signal
from pathlib import Path

from tests.engine.local_platform import LocalPlatform, command_line, wait_for


def _two(platform: LocalPlatform) -> None:
    platform.want(platform.process("first", 0), platform.process("second", 1))
    platform.up()


def test_killed_program_and_killed_launcher_come_back_alone(local_platform: LocalPlatform) -> None:
    """The supervisor replaces a program, or a launcher, killed with -9; no second copy stays, nothing is to be done."""
    _two(local_platform)
    for choose in (LocalPlatform.programs, _launchers):
        victims, before = choose(local_platform, "first"), local_platform.pids("first")
        assert len(victims) == 1
        os.kill(victims[0], signal.SIGKILL)
        wait_for("a new pair", lambda old=before: _renewed(local_platform, old))  # type: ignore[misc]
    wait_for("an unchanged preview", local_platform.unchanged)
    assert len(local_platform.programs("first")) == 1


def _launchers(platform: LocalPlatform, name: str) -> list[int]:
    return [pid for pid in platform.pids(name) if b"launcher.py" in command_line(pid)]


def _renewed(platform: LocalPlatform, old: list[int]) -> bool:
    """A launcher ends with its program, and a program with its launcher, so both are new."""
    return len(platform.pids("first")) == 2 and not set(platform.pids("first")) & set(old)


def test_killed_supervisor_is_seen_and_repaired(local_platform: LocalPlatform) -> None:
    """Without a supervisor a preview and a refresh both tell; one up starts everything again, once."""
    _two(local_platform)
    supervisor = local_platform.pids("supervisord")
    os.kill(supervisor[0], signal.SIGKILL)
    wait_for("the launchers to end their programs", lambda: local_platform.pids() == [])
    assert not local_platform.unchanged()
    refreshed = local_platform.engine.refresh(local_platform.folder)
    assert refreshed.changes == {"same": 2, "update": 3}, refreshed.output
    assert local_platform.up().changes == {"same": 2, "update": 3}
    assert len(local_platform.programs("first")) == len(local_platform.programs("second")) == 1
    assert local_platform.unchanged()


def test_one_up_after_a_reboot(local_platform: LocalPlatform) -> None:
    """Everything killed at once with a stale socket and pid file left: one up brings all back."""
    _two(local_platform)
    for pid in local_platform.pids():
        os.kill(pid, signal.SIGKILL)
    wait_for("nothing left", lambda: local_platform.pids() == [])
    assert (local_platform.root / "supervisor" / "supervisor.sock").exists()
    assert local_platform.up().changes == {"same": 2, "update": 3}
    assert local_platform.unchanged()


def test_destroy_without_supervisor_leaves_nothing(local_platform: LocalPlatform) -> None:
    """A destroy after the supervisor was killed ends quickly and leaves no process; logs stay."""
    _two(local_platform)
    for pid in local_platform.pids("supervisord") + _launchers(local_platform, "second"):
        os.kill(pid, signal.SIGKILL)
    local_platform.destroy()
    assert _names(local_platform.root) == ["logs"]
    assert "serving" in local_platform.log("first")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "supervisor" or any(path.iterdir()))


def test_destroy_after_the_folder_was_removed(local_platform: LocalPlatform) -> None:
    """Somebody deleted the whole folder under running processes: a destroy ends them and makes no folder again."""
    _two(local_platform)
    shutil.rmtree(local_platform.root)
    local_platform.destroy()
    assert not local_platform.root.exists()
    local_platform.root.mkdir()
