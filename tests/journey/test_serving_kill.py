"""The prediction service is killed under load: no answered prediction is lost, and it comes back with its champion."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mlstep import predictions
from tests.unit.serve import kit

CLIENTS = 4
LIMIT_SECONDS = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A platform with a champion."""
    found = kit.make_platform(tmp_path / "root")
    kit.promote(found, kit.make_model(tmp_path / "model"), 1)
    return found.root


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Services of the test; those that still run at its end are ended."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def serve(root: Path, port: int, processes: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """Start the service and wait until it is ready."""
    command = [sys.executable, "-m", "mlstep.cli", "serve", "--root", str(root), "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    processes.append(process)
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the service ended while starting"
        try:
            if httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False).status_code == 200:
                return process
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the service did not get ready")


def ask(port: int, answered: list[str], killed: threading.Event) -> None:
    """Send requests until the service is gone, and note every identifier that was answered."""
    with httpx.Client(trust_env=False) as client:
        while not killed.is_set():
            try:
                answer = client.post(f"http://127.0.0.1:{port}/predict", json=kit.GOOD)
            except httpx.HTTPError:
                return
            answered.append(answer.json()["request_id"])


def test_every_answered_prediction_is_in_the_log(root: Path, processes: list[subprocess.Popen[bytes]]) -> None:
    """Twice: load, kill -9 in the middle of it, compare; the second life also compacts what the first left."""
    port = free_port()
    answered: list[str] = []
    for life in (1, 2):
        process = serve(root, port, processes)
        killed = threading.Event()
        clients = [threading.Thread(target=ask, args=(port, answered, killed)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        deadline = time.monotonic() + LIMIT_SECONDS
        while len(answered) < 200 * life and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed.set()
        for client in clients:
            client.join()
        assert len(answered) >= 200 * life
        logged = set(predictions.scan(root, kit.MODEL)["request_id"])
        assert set(answered) <= logged
        assert len(logged) - len(set(answered)) <= CLIENTS * life  # Kept, but killed before the answer was out.
    newest = predictions.find(root, answered[-1])
    assert newest is not None
    assert newest["version"] == 1
