"""A real Prometheus and a real Alertmanager, as the platform configures them, carry a red signal to the receiver."""

import json
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pulumi
import pytest
import yaml
from pulumi.runtime import set_mocks

from components.monitoring import prometheus
from components.monitoring.local import LocalMonitoring
from mlstep.alerts import intake
from mlstep.monitoring import render, signals
from tests.journey.conftest import REPOSITORY, free_port_base
from tests.unit.components.test_stages import World

MISSING = [" or ".join(names) for names in prometheus.PROGRAMS.values() if not any(map(shutil.which, names))]
HOW = "Debian: prometheus, prometheus-alertmanager"
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not on PATH: {', '.join(MISSING)} ({HOW})")
OWNER, TOKEN = "o.lind@demo.example", "a-token-of-this-test"
SIGNALS = REPOSITORY / "pipelines/signals.yaml"
SECONDS = 90
METRICS = """\
# TYPE strata_feature_psi gauge
strata_feature_psi{model="credit",subject="income"} 0.731
# TYPE strata_feature_psi_red_windows gauge
strata_feature_psi_red_windows{model="credit",subject="income",of="recent"} 2
strata_feature_psi_red_windows{model="credit",subject="income",of="latest"} 1
strata_feature_psi_red_windows{model="credit",subject="age",of="recent"} 2
strata_feature_psi_red_windows{model="credit",subject="age",of="latest"} 0
"""
"""What the stand-in for `alerting` exports: income is red now, age was."""


class StandIn(BaseHTTPRequestHandler):
    """In place of `alerting` it gives numbers; in place of `receiver` it keeps posts that carry the token."""

    posts: "queue.Queue[dict[str, Any]]" = queue.Queue()

    def do_GET(self) -> None:
        """The numbers."""
        self._answer(200, METRICS.encode())

    def do_POST(self) -> None:
        """A post, refused without the token as the receiver would."""
        content = self.rfile.read(int(self.headers["Content-Length"]))
        known = self.path == "/alerts" and self.headers["Authorization"] == f"Bearer {TOKEN}"
        if known:
            self.posts.put(json.loads(content))
        self._answer(202 if known else 401, b"{}")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@contextmanager
def served(port: int) -> Iterator[None]:
    """The stand-in on a port."""
    server = ThreadingHTTPServer(("127.0.0.1", port), StandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def started(process: dict[str, Any], log: Path) -> Iterator[None]:
    """A process as the resource describes it, healthy; ended at the end, whatever happens."""
    with log.open("wb") as stream:
        running = subprocess.Popen(process["command"], env=process["env"], stdout=stream, stderr=stream)
    try:
        url, end = f"http://127.0.0.1:{int(process['port'])}{process['health']}", time.monotonic() + SECONDS
        while not healthy(url):
            assert running.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < end, log.read_text(encoding="utf-8")
            time.sleep(0.2)
        yield
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def healthy(url: str) -> bool:
    """Whether it answers as it should."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def rendered(root: Path, base: int) -> dict[str, dict[str, Any]]:
    """Write what the component would write, and return its processes by name."""
    world = World()
    set_mocks(world, preview=False)
    host = {"root": str(root), "python": "/usr/bin/python3", "port_base": base, "digest": "d"}

    def program() -> Any:
        told: Any = {"host": host, "signals": str(SIGNALS), "alert_owner": OWNER, "interval_seconds": 1}
        return LocalMonitoring("monitoring", {**told, "alerting": "prometheus"}).platform_file

    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    for file in world.of("File"):
        path = Path(file.inputs["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.inputs["content"], encoding="utf-8")
    for folder in ("metrics/rules", "secrets", "tmp"):
        (root / folder).mkdir(parents=True)
    (root / "secrets/serve.token").write_text(TOKEN + "\n", encoding="utf-8")
    content = render.rules(signals.load(SIGNALS), OWNER, "demo", "dev")
    (root / "metrics/rules/strata.rules.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return {process.inputs["name"]: process.inputs for process in world.of("Process")}


def test_a_red_signal_reaches_the_receiver(tmp_path: Path) -> None:
    """One post with model, subject and owner, in the shape that the receiver takes; nothing about what is not red."""
    base = free_port_base()
    processes = rendered(tmp_path, base)
    with ExitStack() as stack:
        for offset in (5, 6):
            stack.enter_context(served(base + offset))
        for name in ("alertmanager", "prometheus"):
            stack.enter_context(started(processes[name], tmp_path / f"{name}.log"))
        post = StandIn.posts.get(timeout=SECONDS)
    (alert,) = intake.check(post)
    labels = alert["labels"]
    assert (labels["alertname"], labels["model"], labels["subject"], labels["owner"]) == (
        "strata_feature_drift", "credit", "income", OWNER,
    )  # fmt: skip
    assert (post["status"], post["groupLabels"]["model"], labels["retrain"]) == ("firing", "credit", "true")
    assert alert["annotations"]["summary"] == "feature income of credit has moved away from the training data"
    assert alert["annotations"]["value"] == "0.731"
    assert post["externalURL"] == f"http://127.0.0.1:{base + 8}"
