"""What goes wrong is told with its cause, and the next up goes on from there."""

import os
import signal
import socket
import subprocess

from tests.engine.local_platform import LocalPlatform, wait_for

SECRET = "open-sesame-open-sesame"


def _holding(port: int) -> socket.socket:
    """A port held by this test; connections of an earlier test that are still fading away do not matter."""
    return socket.create_server(("127.0.0.1", port))


def test_crash_loop_is_told_with_the_last_lines(local_platform: LocalPlatform) -> None:
    """A program that keeps ending fails the up with its own words, port and log; a secret in them is blanked."""
    local_platform.want(local_platform.process("broken", 0, CRASH="no table 'rows' for", secret=SECRET))
    result = local_platform.engine.up(local_platform.folder)
    assert not result.ok
    assert "process 'broken' is not healthy: it keeps ending" in result.output
    assert "no table 'rows' for ***" in result.output
    assert f"port {local_platform.base}" in result.output
    assert str(local_platform.root / "logs" / "broken.log") in result.output
    assert SECRET not in result.output
    local_platform.want(local_platform.process("broken", 0))
    assert local_platform.up().changes == {"create": 1, "same": 3}


def test_taken_ports_are_all_named_by_the_preview(local_platform: LocalPlatform) -> None:
    """Two ports held by somebody else are one message that names both and their holder, before anything starts."""
    local_platform.want(local_platform.process("first", 0))
    with _holding(local_platform.base), _holding(local_platform.base + 1):
        result = local_platform.preview()
        assert not result.ok
        for offset in (0, 1):
            assert (
                f"port {local_platform.base + offset} on 127.0.0.1 is taken by process {os.getpid()}" in result.output
            )
    assert local_platform.pids() == []
    local_platform.up()


def test_port_taken_later_fails_one_process(local_platform: LocalPlatform) -> None:
    """A process that is moved to a port of somebody else fails with the holder's name; the other one runs on."""
    local_platform.want(local_platform.process("first", 0), local_platform.process("second", 1))
    local_platform.up()
    second = local_platform.programs("second")
    with _holding(local_platform.base + 7):
        local_platform.want(local_platform.process("first", 7), local_platform.process("second", 1))
        result = local_platform.engine.up(local_platform.folder)
    assert not result.ok
    assert f"port {local_platform.base + 7} on 127.0.0.1 is taken by process {os.getpid()}" in result.output
    assert local_platform.programs("second") == second
    assert local_platform.up().changes == {"same": 4, "update": 1}


def test_engine_killed_during_up(local_platform: LocalPlatform) -> None:
    """After the engine was killed while processes started, the next up completes, with one copy of each process."""
    slow = [local_platform.process(name, offset, SLOW="8") for offset, name in enumerate(("first", "second"))]
    local_platform.want(*slow)
    assert local_platform.preview().ok  # makes the stack
    engine = local_platform.engine
    command = [str(engine.programs / "pulumi"), "up", "--stack", "dev", "--skip-preview", "--non-interactive"]
    running = subprocess.Popen(
        command, cwd=local_platform.folder, env=engine.variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for("both programs", lambda: local_platform.programs("first") and local_platform.programs("second"))
    running.send_signal(signal.SIGKILL)
    running.wait()
    cancelled = engine.command(local_platform.folder, "cancel", "--stack", "dev", "--yes")
    assert cancelled.ok, cancelled.output
    local_platform.up()
    assert len(local_platform.programs("first")) == len(local_platform.programs("second")) == 1
    assert len(local_platform.pids("supervisord")) == 1
    assert local_platform.unchanged()
    local_platform.destroy()
