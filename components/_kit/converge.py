"""Brings one supervised process to what its resource declares, from whatever state it is in."""

import sys
import time
from typing import Any

from components._kit import disk, marks, rpc, supervisord
from components._kit.health import Health
from components._kit.program import Program

STARTS_ALLOWED = 3
"""Starts seen while waiting after which a process is called a crash loop."""
COMING = ("STARTING", "RUNNING", "BACKOFF")
PROGRESS_SECONDS = 15.0
REREAD_TRIES = 20


class UnhealthyError(RuntimeError):
    """A process did not come to answer; the message has its last words."""


def health(program: Program) -> Health:
    """Where to ask whether the program is well."""
    return Health(program.root, program.name, program.port, program.health)


def well(program: Program) -> bool:
    """Whether the process runs as declared; looks and changes nothing."""
    try:
        state = rpc.process(supervisord.socket_path(program.root), program.name)
    except (rpc.SupervisorGoneError, TimeoutError):
        return False
    running = state is not None and state["statename"] in ("STARTING", "RUNNING")
    return running and program.written() and health(program).ok(tries=3)


def ensure(program: Program) -> None:
    """Makes the process run as declared and waits until it answers. Any earlier attempt may have stopped half way.

    Raises:
        UnhealthyError: if it does not answer in time, or keeps ending.
        rpc.SupervisorGoneError: if the supervisor is not there.
    """
    socket = supervisord.socket_path(program.root)
    state = rpc.process(socket, program.name)
    with disk.lock(supervisord.lock_path(program.root)):
        changed = program.write()
    if changed or not _worth_waiting(program, state):
        _restart(program, socket)
    _wait(program, socket)


def _worth_waiting(program: Program, state: dict[str, Any] | None) -> bool:
    """A process that is just starting is waited for; one that had its time and does not answer is started again."""
    if state is None or state["statename"] not in ("STARTING", "RUNNING"):
        return False
    age = state["now"] - state["start"]
    return bool(age < program.health_timeout_seconds) or health(program).ok(tries=3)


def _restart(program: Program, socket: str) -> None:
    """Stops and adds this group and no other, whatever else the supervisor has to tell about its configuration."""
    rpc.call(socket, "stopProcessGroup", program.name, tolerate=(rpc.BAD_NAME,))
    _refuse_foreign_port(program)
    with disk.lock(supervisord.lock_path(program.root)):
        rpc.call(socket, "removeProcessGroup", program.name, tolerate=(rpc.BAD_NAME,))
        _reread(socket)
        # Parallel resources each see the others' new groups in the reply; adding those too made one of them fail.
        rpc.call(socket, "addProcessGroup", program.name, tolerate=(rpc.ALREADY_ADDED,))


def _reread(socket: str) -> None:
    """Tells the supervisor to read its files. One that vanishes at this moment makes it fail, so it tries again."""
    for _ in range(REREAD_TRIES - 1):
        if rpc.call(socket, "reloadConfig", tolerate=(rpc.CANNOT_REREAD,)) is not None:
            return
        time.sleep(0.05)
    rpc.call(socket, "reloadConfig")


def _refuse_foreign_port(program: Program) -> None:
    """A port held by something that is not ours will not become free by waiting."""
    if marks.port_is_free(program.port):
        return
    holders = marks.port_holders(program.port)
    if set(holders) & set(marks.find(program.root)):
        return  # a leftover, which the launcher ends, or a process that is about to move to another port
    who = ", ".join(map(marks.describe, holders)) or "a process of another user"
    raise UnhealthyError(
        f"process {program.name!r} cannot start: port {program.port} on 127.0.0.1 is taken by {who}; "
        "end it or choose another port base in the record"
    )


def _wait(program: Program, socket: str) -> None:
    begun = time.monotonic()
    told = begun
    starts: set[int] = set()
    check = health(program)
    while True:
        state = rpc.process(socket, program.name)
        if state is None:
            raise _failure(program, "the supervisor lost it")
        if state["pid"]:
            starts.add(state["pid"])
        if state["statename"] in ("STARTING", "RUNNING") and check.ok():
            return
        waited = time.monotonic() - begun
        if state["statename"] not in COMING or len(starts) > STARTS_ALLOWED:
            raise _failure(program, f"it keeps ending ({len(starts)} starts in {waited:.0f} s)")
        if waited > program.health_timeout_seconds:
            raise _failure(program, f"it did not answer within {program.health_timeout_seconds:.0f} s")
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"{program.name}: waiting for {check.url}, {waited:.0f} s", file=sys.stderr, flush=True)
        time.sleep(0.1)


def _failure(program: Program, what: str) -> UnhealthyError:
    tail = "\n".join(f"    {line}" for line in program.last_words().splitlines())
    return UnhealthyError(
        f"process {program.name!r} is not healthy: {what}\n"
        f"  port {program.port}, health {health(program).url}, log {program.log}\n"
        f"  last lines of the log:\n{tail}\n"
        "  Remove the cause and run `pulumi up` again; what is already there is kept."
    )


def remove(program: Program) -> None:
    """Ends the process and forgets it; works without a supervisor, so that a destroy after a crash does not hang."""
    socket = supervisord.socket_path(program.root)
    try:
        rpc.call(socket, "stopProcessGroup", program.name, tolerate=(rpc.BAD_NAME,))
        with disk.lock(supervisord.lock_path(program.root)):
            rpc.call(socket, "removeProcessGroup", program.name, tolerate=(rpc.BAD_NAME,))
            program.remove()
    except rpc.SupervisorGoneError:
        program.remove()
    marks.end(program.root, program.name)
