"""Processes as resources: made, kept, changed and ended by the engine."""

import json

from tests.engine.local_platform import LocalPlatform, command_line

SECRET = "open-sesame-open-sesame"
THREE = ("first", "second", "third")


def test_made_in_parallel_then_left_alone(local_platform: LocalPlatform) -> None:
    """Three processes come up at once; a second up restarts none of them and changes nothing."""
    local_platform.want(*(local_platform.process(name, offset) for offset, name in enumerate(THREE)))
    local_platform.up()
    first = {name: local_platform.programs(name) for name in THREE}
    assert all(len(pids) == 1 for pids in first.values()), first
    again = local_platform.up("--expect-no-changes")
    assert again.changes == {"same": 6}
    assert {name: local_platform.programs(name) for name in THREE} == first
    local_platform.destroy()


def test_changed_port_restarts_one_process_only(local_platform: LocalPlatform) -> None:
    """A new port is an update in place of that process; the other keeps its pid."""
    local_platform.want(local_platform.process("moved", 0), local_platform.process("kept", 1))
    local_platform.up()
    moved, kept = local_platform.programs("moved"), local_platform.programs("kept")
    local_platform.want(local_platform.process("moved", 5), local_platform.process("kept", 1))
    result = local_platform.up()
    assert result.changes == {"same": 4, "update": 1}
    assert local_platform.programs("kept") == kept
    assert local_platform.programs("moved") != moved
    assert str(local_platform.base + 5).encode() in command_line(local_platform.programs("moved")[0])


def test_swapped_ports_are_sorted_out(local_platform: LocalPlatform) -> None:
    """Two processes may exchange their ports in one up, although each finds the other still there."""
    local_platform.want(local_platform.process("left", 0), local_platform.process("right", 1))
    local_platform.up()
    local_platform.want(local_platform.process("left", 1), local_platform.process("right", 0))
    assert local_platform.up().changes == {"same": 3, "update": 2}
    assert local_platform.unchanged()


def test_removed_process_goes_alone(local_platform: LocalPlatform) -> None:
    """A process that is no longer declared ends, with its files; the other is not touched."""
    local_platform.want(local_platform.process("gone", 0), local_platform.process("kept", 1))
    local_platform.up()
    kept = local_platform.programs("kept")
    local_platform.want(local_platform.process("kept", 1))
    assert local_platform.up().changes == {"delete": 1, "same": 4}
    assert local_platform.pids("gone") == []
    assert local_platform.programs("kept") == kept
    assert sorted(path.name for path in (local_platform.root / "supervisor" / "programs").iterdir()) == [
        "kept.ini",
        "kept.json",
    ]


def test_secret_environment_is_nowhere_in_plain_text(local_platform: LocalPlatform) -> None:
    """A secret in a process's environment is encrypted in the state, also after a refresh, and in no command line."""
    local_platform.want(local_platform.process("holder", 0, secret=SECRET))
    local_platform.up()
    assert local_platform.engine.refresh(local_platform.folder).ok
    state = json.dumps(local_platform.engine.export(local_platform.folder))
    assert "holder" in state
    assert SECRET not in state
    assert all(SECRET.encode() not in command_line(pid) for pid in local_platform.pids())
    told = local_platform.root / "supervisor" / "programs" / "holder.json"
    assert SECRET in told.read_text(encoding="utf-8")
    assert told.stat().st_mode & 0o777 == 0o600


def test_orphan_without_mark_ends_with_its_process(local_platform: LocalPlatform) -> None:
    """A grandchild that lost its parent and cleared its environment does not survive a destroy."""
    note = local_platform.root / "orphan"
    local_platform.want(local_platform.process("parent", 0, ORPHAN=str(note)))
    local_platform.up()
    orphan = int(note.read_text(encoding="utf-8"))
    assert b"sleep" in command_line(orphan)
    local_platform.destroy()
    assert command_line(orphan) == b""
