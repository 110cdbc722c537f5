"""The scheduler as a process: killed, its runs go on; stopped in order, they end and can be resumed."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlstep.runner.records import find_run, read_run
from tests.unit.core.bench import Bench, wait_until

HEADERS = {"Authorization": "Bearer token of develop"}


class Scheduler:
    """A scheduler's process on a free port."""

    def __init__(self, bench: Bench) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.url = f"http://127.0.0.1:{server.getsockname()[1]}"
        port = self.url.rsplit(":", 1)[1]
        command = [sys.executable, "-P", "-m", "mlstep.cli", "scheduler", "--root", str(bench.root), "--port", port]
        self.log = bench.folder / f"scheduler-{port}.log"
        with self.log.open("wb") as stream:
            self.process = subprocess.Popen(command, env=bench.environment, stdout=stream, stderr=stream)
        wait_until(self.is_up)

    def is_up(self) -> bool:
        """Whether it answers; a process that has ended never will."""
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def get(self, path: str) -> Any:
        """What it answers."""
        return httpx.get(f"{self.url}{path}", trust_env=False).json()

    def end(self, number: int) -> None:
        """Send it a signal and wait for its end."""
        self.process.send_signal(number)
        self.process.wait(60)


@pytest.fixture
def waiting(tmp_path: Path) -> Bench:
    """A platform whose only pipeline waits for the file `go`."""
    bench = Bench(tmp_path)
    started = {"started": str(bench.folder / "started"), "wait_for": str(bench.folder / "go")}
    bench.define({"only": {"config": started}})
    token = bench.folder / "token"
    token.write_text("token of develop", encoding="utf-8")
    pipelines = [{"name": "demo", "definition": str(bench.definition), "schedule": None}]
    stages: dict[str, dict[str, Any]] = {
        "foundation": {"identities": {"develop": {"user": "d", "token_file": str(token)}}},
        "pipelines": {"pipelines": pipelines},
    }
    (bench.root / "platform").mkdir(parents=True)
    for name, content in stages.items():
        file = bench.root / "platform" / f"{name}.json"
        file.write_text(json.dumps({"contract_version": 1, **content}), encoding="utf-8")
    return bench


def start_run(bench: Bench, scheduler: Scheduler) -> tuple[str, Path]:
    """Start a run and wait until its step runs; return its name and folder."""
    answer = httpx.post(f"{scheduler.url}/runs", json={"pipeline": "demo"}, headers=HEADERS, trust_env=False)
    assert answer.status_code == 202, answer.text
    wait_until((bench.folder / "started").exists)
    run = str(answer.json()["run"])
    return run, find_run(bench.root, run)


def test_a_run_outlives_a_killed_scheduler(waiting: Bench) -> None:
    """Kill -9 of the scheduler leaves the run alive; the next scheduler sees it, and it ends well."""
    first = Scheduler(waiting)
    run, folder = start_run(waiting, first)
    first.end(signal.SIGKILL)
    assert read_run(folder)["state"] == "running"
    second = Scheduler(waiting)
    try:
        assert [entry["run"] for entry in second.get("/healthz")["running"]] == [run]
        (waiting.folder / "go").touch()
        wait_until(lambda: second.get(f"/runs/{run}")["state"] == "passed")
    finally:
        second.end(signal.SIGTERM)


def test_an_orderly_stop_ends_adopted_runs_too(waiting: Bench) -> None:
    """A run left by a killed scheduler ends with the next one's stop: no process of ours is left over."""
    first = Scheduler(waiting)
    _, folder = start_run(waiting, first)
    first.end(signal.SIGKILL)
    runner = int(read_run(folder)["pid"])
    Scheduler(waiting).end(signal.SIGTERM)
    assert read_run(folder)["state"] == "stopped"
    wait_until(lambda: not _exists(runner))


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[:1]


def test_a_wrong_schedule_stops_it_at_once(waiting: Bench) -> None:
    """A schedule that is no cron expression is one clear message and exit code 2."""
    file = waiting.root / "platform" / "pipelines.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["pipelines"][0]["schedule"] = "daily"
    file.write_text(json.dumps(content), encoding="utf-8")
    command = [sys.executable, "-P", "-m", "mlstep.cli", "scheduler", "--root", str(waiting.root), "--port", "1"]
    done = subprocess.run(command, env=waiting.environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "schedule 'daily'" in done.stderr
