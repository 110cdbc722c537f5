"""The launcher between supervisor and program: leftovers, port, end of the group."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components._kit import launcher, marks

SERVER = "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), None).serve_forever()"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"
)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A platform folder whose marked processes are ended after the test."""
    (tmp_path / "supervisor" / "programs").mkdir(parents=True)
    yield tmp_path
    marks.end(str(tmp_path), seconds=0)


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.02)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _launch(root: Path, port: int, *command: str) -> subprocess.Popen[str]:
    program = {"command": [sys.executable, *command], "env": {}, "folder": str(root), "port": port, "stop_seconds": 0.5}
    (root / "supervisor" / "programs" / "it.json").write_text(json.dumps(program), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-I", "-S", launcher.__file__, "it", str(root)],
        env={**os.environ, marks.MARK: marks.mark(str(root), "it")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=30)
    return process.returncode, said


def test_exit_code_is_the_program_s_own(root: Path) -> None:
    """What the supervisor sees is how the program ended: a code, or 128 plus the signal."""
    assert _ended(_launch(root, _free_port(), "-c", "raise SystemExit(7)"))[0] == 7
    assert _ended(_launch(root, _free_port(), "-c", "import os; os.kill(os.getpid(), 9)"))[0] == 128 + signal.SIGKILL


def test_taken_port_ends_with_98_and_names_the_holder(root: Path) -> None:
    """A start on a port of somebody else is refused with the port and the holder's pid."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        code, said = _ended(_launch(root, port, "-c", SERVER, str(port)))
    assert code == launcher.PORT_TAKEN
    assert f"port {port} on 127.0.0.1 is taken by process {os.getpid()}" in said


def test_leftover_on_the_port_is_ended_first(root: Path) -> None:
    """A server left behind by a launcher that was killed with -9 makes room for the new one."""
    port = _free_port()
    environment = {**os.environ, marks.MARK: marks.mark(str(root), "it")}
    leftover = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], env=environment)
    _wait(lambda: marks.port_holders(port) == [leftover.pid])
    started = _launch(root, port, "-c", SERVER, str(port))
    assert leftover.wait(timeout=20) == -signal.SIGTERM
    _wait(lambda: marks.port_holders(port))
    started.terminate()
    code, said = _ended(started)
    assert code == 0
    assert f"ended process {leftover.pid}, left over" in said


def test_stop_kills_what_does_not_listen(root: Path) -> None:
    """A program that ignores the request to end is killed, and so is its child without a mark."""
    note = root / "child"
    orphan = f"import subprocess; subprocess.run(['/bin/sh', '-c', 'env -i sleep 600 & echo $! > {note}'])\n{STUBBORN}"
    process = _launch(root, _free_port(), "-c", orphan)
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    child = int(note.read_text())
    process.terminate()
    assert _ended(process)[0] == 0
    assert marks.find(str(root)) == []
    _wait(lambda: not _alive(child))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_program_ends_with_its_launcher(root: Path) -> None:
    """A launcher killed with -9 takes its program with it."""
    process = _launch(root, _free_port(), "-c", STUBBORN)
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    process.kill()
    process.wait()
    _wait(lambda: marks.find(str(root)) == [])


def test_environment_is_exactly_what_was_given(root: Path) -> None:
    """Nothing of the supervisor's environment reaches the program, save the mark."""
    code, said = _ended(_launch(root, _free_port(), "-c", "import os; print(sorted(os.environ))"))
    assert code == 0
    # Python itself sets LC_CTYPE where no locale is named.
    assert set(json.loads(said.replace("'", '"'))) - {"LC_CTYPE"} == {marks.MARK}
