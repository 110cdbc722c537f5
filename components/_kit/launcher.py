"""Stands between the supervisor and one program, and sees to what the supervisor cannot.

Run as `python -I -S launcher.py NAME ROOT` by the interpreter of the run-time environment; reads what to run from
`<root>/supervisor/programs/<name>.json`. Its four duties, each from a failure that was seen:
1. It ends leftovers of its own earlier life. A server whose parent was killed with -9 went on serving on the port.
2. It insists that the port is free, else exits 98 and names the holder. Otherwise the health check was answered by a
   leftover, and a start that could not bind was reported as a success.
3. It ends when the supervisor ends, and takes the whole marked group with it: asks, waits, kills.
4. It adopts orphans of its program, so that a child that cleared its environment is ended too.
Standard library only: it must start in a moment, cost little memory, and work when packages are broken.
"""

import ctypes
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

# Makes the next import work under -I.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from components._kit import marks

PORT_TAKEN = 98
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main(arguments: list[str]) -> int:
    """Runs the program until it ends or the supervisor asks for the end; returns the exit code."""
    name, root = arguments
    program = json.loads(Path(root, "supervisor", "programs", f"{name}.json").read_text())
    supervisor = os.getppid()
    _die_with_parent(signal.SIGTERM)
    _adopt_orphans()
    wake = _catch_signals()
    if not marks.LINUX:
        marks.end(root, name, spare=[supervisor])  # before the record of the earlier life is overwritten
        marks.record_group(root, name)
    for pid in marks.end(root, name):
        _say(name, f"ended process {pid}, left over from an earlier start")
    port = int(program["port"])
    if not marks.port_is_free(port):
        holders = ", ".join(marks.describe(pid) for pid in marks.port_holders(port)) or "a process of another user"
        _say(name, f"port {port} on 127.0.0.1 is taken by {holders}; end it or choose another port base")
        return PORT_TAKEN
    child = _start(program, root, name)
    code = _wait(child, supervisor, wake)
    _end_group(root, name, float(program["stop_seconds"]))
    return code


def _say(name: str, text: str) -> None:
    print(f"launcher {name}: {text}", file=sys.stderr, flush=True)


def _prctl(option: int, value: int) -> None:
    if not marks.LINUX:
        return  # there the loop in _wait watches the parent, and ps finds the group
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) was refused")


def _die_with_parent(number: int) -> None:
    _prctl(PR_SET_PDEATHSIG, number)


def _adopt_orphans() -> None:
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _catch_signals() -> int:
    """Makes signals readable from a pipe, so that waiting needs no polling; returns its reading end."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return reading


def _start(program: dict[str, Any], root: str, name: str) -> int:
    """Starts the program with exactly the environment it was given, and the mark."""
    environment = {**program["env"], marks.MARK: marks.mark(root, name)}
    child = os.fork()
    if child == 0:
        _become(program["command"], environment, program["folder"])
    return child


def _become(command: list[str], environment: dict[str, str], folder: str) -> NoReturn:
    try:
        _die_with_parent(signal.SIGKILL)  # without its launcher nobody would end the program
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(folder)
        os.execve(command[0], command, environment)
    except OSError as error:
        print(f"launcher: {command[0]} cannot be started: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)


def _wait(child: int, supervisor: int, wake: int) -> int:
    """Waits until the program ends, a stop is asked for, or the supervisor is gone; returns the exit code."""
    # Elsewhere than on Linux no signal tells of the supervisor's death, so its pid is looked at once a second.
    patience = None if marks.LINUX else 1.0
    while True:
        code = _reap(child)
        if code is not None:
            return code
        if os.getppid() != supervisor:
            return 0
        select.select([wake], [], [], patience)
        received = _drain(wake)
        if signal.SIGTERM in received or signal.SIGINT in received:
            return 0


def _drain(wake: int) -> set[int]:
    try:
        return set(os.read(wake, 4096))
    except BlockingIOError:
        return set()


def _reap(child: int) -> int | None:
    """Collects every ended process; returns the program's exit code once it is among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == child:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else 128 - ended


def _end_group(root: str, name: str, seconds: float) -> None:
    marks.end(root, name, seconds=seconds)
    marks.send(marks.descendants(os.getpid()), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
