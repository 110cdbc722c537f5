"""The feature store alive: Feast's own registry, stores and server, in its own environment."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.features.ingested import ingest, make_platform, rows

PYTHON = Path(__file__).parents[2] / ".strata" / "envs" / "features" / "bin" / "python"
START_SECONDS = 240


def _features(root: Path, act: str, *flags: str) -> Any:
    command = [str(PYTHON), "-m", "mlstep.cli", "features", act, "--root", str(root), "--json", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A platform with one ingested run, applied and materialised with a limit of 50 entities."""
    folder = tmp_path_factory.mktemp("features")
    make_platform(folder)
    ingest(folder, "r1", rows(300, 100))
    _features(folder, "materialize", "--entities", "50")
    return folder


def test_materialising_is_bounded_and_says_so(root: Path) -> None:
    """Of 100 entities the newest 50 are online; a second time nothing is written."""
    (view,) = _features(root, "materialize", "--entities", "50")["views"]
    assert (view["entities"], view["entities_offline"], view["limit"]) == (50, 100, 50)
    assert view["changed"] is False


def test_training_and_online_features_agree(root: Path) -> None:
    """The point-in-time join gives each entity what the online store answers, value by value."""
    (result,) = _features(root, "check", "--entities", "50")["views"]
    assert (result["entities"], result["compared"], result["differences"]) == (50, 200, [])


def test_a_difference_is_found(root: Path) -> None:
    """Entities that were never materialised differ, so the check can fail."""
    command = [str(PYTHON), "-m", "mlstep.cli", "features", "check", "--root", str(root), "--entities", "60"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 3
    assert "training and online features differ" in done.stderr


def test_rows_with_equal_key_and_time_survive_the_join(root: Path) -> None:
    """Asking twice for the same key and time gives two rows, which the file store would merge."""
    script = f"""
import pandas as pd
from pathlib import Path
from mlstep_features.repository import open_store
store = open_store(Path({str(root)!r}))
asked = pd.DataFrame({{"application_id": ["a1"] * 3, "event_timestamp": pd.to_datetime(["2026-02-01"] * 3, utc=True)}})
print(len(store.get_historical_features(entity_df=asked, features=["applications:age"]).to_df()))
"""
    done = subprocess.run([str(PYTHON), "-c", script], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "3"


@pytest.fixture(params=["empty", "filled"])
def server(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The feature server, over a platform without rows and over the one with rows."""
    if request.param == "empty":
        root = make_platform(tmp_path / "empty").root
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(PYTHON), "-m", "mlstep.cli", "features", "serve", "--root", str(root), "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(f"http://127.0.0.1:{port}/health", process, tmp_path / "log")
        yield request.param, f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}/health")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_the_server_answers_and_stops(server: tuple[str, str]) -> None:
    """It is healthy with and without rows, answers online features, and SIGTERM ends all of it."""
    kind, url = server
    if kind == "empty":
        return
    question = {"features": ["applications:income", "applications:age"], "entities": {"application_id": ["a99"]}}
    answer = httpx.post(f"{url}/get-online-features", json=question).raise_for_status().json()
    values = dict(zip(answer["metadata"]["feature_names"], (r["values"][0] for r in answer["results"]), strict=True))
    assert values == {"application_id": "a99", "income": 1000.5 + 299, "age": 18 + 299 % 60}


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, log.read_text()
        time.sleep(0.2)
    pytest.fail(f"{url} did not answer in {START_SECONDS} s: {log.read_text()}")
