"""Speaks XML-RPC to the supervisor over its unix socket.

The library's own `supervisorctl` is not used: it reads any `supervisord.conf` in the current folder.
"""

import http.client
import socket
import xmlrpc.client
from typing import Any

TIMEOUT_SECONDS = 60.0
"""Above the slowest stop (20 s before the kill, 8 s for the group): with 10 s a destroy failed on a slow stop."""
SHUTTING_DOWN = 6
BAD_NAME = 10
ALREADY_ADDED = 90
CANNOT_REREAD = 92


class SupervisorGoneError(Exception):
    """Nobody answers on the supervisor's socket."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__()
        self._path = path
        self._timeout = timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        del host  # the library asks for one; a socket has none
        return _UnixConnection(self._path, self._timeout)


def call(
    path: str, method: str, *arguments: Any, timeout: float = TIMEOUT_SECONDS, tolerate: tuple[int, ...] = ()
) -> Any:
    """Calls `supervisor.<method>`; a fault whose code is in `tolerate` gives None.

    Raises:
        SupervisorGoneError: if nobody answers on the socket.
        xmlrpc.client.Fault: if the supervisor refuses.
    """
    proxy = xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(path, timeout))
    try:
        return getattr(proxy.supervisor, method)(*arguments)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode in tolerate:
            return None
        raise
    except (FileNotFoundError, ConnectionError, http.client.HTTPException) as error:
        raise SupervisorGoneError(f"no supervisor answers on {path}: {error}") from error
    finally:
        proxy("close")()


def alive(path: str) -> bool:
    """Whether a supervisor answers on the socket and is not about to end."""
    try:
        state = call(path, "getState", timeout=5)
    except (SupervisorGoneError, TimeoutError, xmlrpc.client.Fault):
        return False
    return bool(state["statename"] == "RUNNING")


def process(path: str, name: str) -> dict[str, Any] | None:
    """What the supervisor knows about a process, or None if it does not know it.

    Raises:
        SupervisorGoneError: if nobody answers on the socket.
    """
    found: dict[str, Any] | None = call(path, "getProcessInfo", name, tolerate=(BAD_NAME,))
    return found
