"""What the engine waits for, without polling: output, a child's end, a signal that asks to stop."""

import select
import signal
import socket
from collections.abc import Callable
from typing import Any, Self


class Wakeup:
    """Waits for output, a child's end, or a signal that asks to stop."""

    def __init__(self, on_stop: Callable[[], None]) -> None:
        self._on_stop = on_stop
        self._handlers: dict[int, Any] = {}
        self._reader, self._writer = socket.socketpair()

    def __enter__(self) -> Self:
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._old = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, lambda *_: self._on_stop())
        self._handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old)
        self._reader.close()
        self._writer.close()

    def wait(self, outputs: list[Any], seconds: float) -> None:
        """Return when there is something to look at, or after some time."""
        readable, _, _ = select.select([self._reader, *outputs], [], [], seconds)
        if self._reader in readable:
            self._reader.recv(4096)
