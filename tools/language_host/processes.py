"""Child processes of the host: started, listened to, and never left behind."""

import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

_STOP_SECONDS = 4.0  # the engine kills the host itself after five


class Children:
    """The processes that the host has started and that still run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def start(
        self,
        command: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        *,
        piped: bool,
    ) -> subprocess.Popen[bytes]:
        """Start a child; `piped` gives its output to us, otherwise it writes where the host writes."""
        output = subprocess.PIPE if piped else None
        with self._lock:
            child = subprocess.Popen(
                command, cwd=cwd, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            self._running.add(child)
        return child

    def wait(self, child: subprocess.Popen[bytes]) -> int:
        """Wait for a child and return its exit code; a negative number is the signal that ended it."""
        code = child.wait()
        with self._lock:
            self._running.discard(child)
        return code

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """Ask a child to end, then make it."""
        if child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()

    def stop_all(self) -> None:
        """Stop every child that still runs."""
        with self._lock:
            running = list(self._running)
        for child in running:
            self.stop(child)


def output_of(child: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield ("stdout" | "stderr", bytes) as the child writes, until it has closed both."""
    chunks: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()

    def read(name: str, stream: IO[bytes]) -> None:
        while chunk := os.read(stream.fileno(), 65536):
            chunks.put((name, chunk))
        chunks.put((name, b""))

    streams = [(name, stream) for name, stream in (("stdout", child.stdout), ("stderr", child.stderr)) if stream]
    for name, stream in streams:
        threading.Thread(target=read, args=(name, stream), daemon=True).start()
    still_open = len(streams)
    while still_open:
        name, chunk = chunks.get()
        if chunk:
            yield name, chunk
        else:
            still_open -= 1


def exit_with_parent(clean_up: Children | None = None, interval_seconds: float = 1.0) -> None:
    """End this process when the engine that started it is gone, however it ended."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(interval_seconds)
        if clean_up is not None:
            clean_up.stop_all()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
