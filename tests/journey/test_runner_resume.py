"""A run goes on where it stopped: what verifies is kept, what was changed is made again or refused."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.unit.core.bench import Bench, counting


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty bench."""
    return Bench(tmp_path)


def test_resume_keeps_what_verifies(bench: Bench) -> None:
    """A resumption runs the failed step and what follows, nothing before it."""
    config = counting(bench, 9)
    bench.define(
        {
            "first": {},
            "second": {"in": {"data": "first.data"}, "config": config, "retries": 0},
            "third": {"needs": ["second"]},
        }
    )
    assert bench.run().returncode == 70
    before = (bench.newest / "first" / "data" / "manifest.json").read_bytes()
    assert bench.resume().returncode == 0
    assert bench.states() == dict.fromkeys(("first", "second", "third"), "passed")
    assert (bench.newest / "first" / "data" / "manifest.json").read_bytes() == before
    assert [event["step"] for event in bench.events("step-started")] == ["first", "second", "second", "third"]
    assert bench.record["resumed"][0]["from"] == "crashed"


def test_resume_does_not_trust_changed_bytes(bench: Bench) -> None:
    """An output that was edited is made again, and so is everything made from it."""
    bench.define(
        {
            "first": {},
            "second": {"in": {"data": "first.data"}},
            "third": {"config": counting(bench, 9), "retries": 0, "needs": ["second"]},
        }
    )
    assert bench.run().returncode == 70
    (bench.newest / "first" / "data" / "text").write_text("forged", encoding="utf-8")
    assert bench.resume().returncode == 0
    assert [event["step"] for event in bench.events("step-started")][3:] == ["first", "second", "third"]
    assert (bench.newest / "first" / "data" / "text").read_text(encoding="utf-8") == "rows"


def test_resume_keeps_its_frozen_inputs(bench: Bench) -> None:
    """A file parameter is read from the run's own copy; a changed copy is refused."""
    source = bench.folder / "contract.txt"
    source.write_text("first", encoding="utf-8")
    steps = {"only": {"in": {"data": "${parameters.file}"}, "config": counting(bench, 9), "retries": 0}}
    bench.define(steps, parameters={"file": {"type": "file", "default": "contract.txt"}})
    assert bench.run().returncode == 70
    source.write_text("second", encoding="utf-8")
    copy = Path(bench.record["files"]["file"]["path"])
    assert copy.read_text(encoding="utf-8") == "first"
    copy.write_text("forged", encoding="utf-8")
    refused = bench.resume()
    assert refused.returncode == 2
    assert "were changed" in refused.stderr


def test_a_service_that_does_not_answer(bench: Bench) -> None:
    """The step retries, the run ends with a clear message, and goes on from there once the service is back."""
    server = HTTPServer(("127.0.0.1", 0), _Quiet)
    url = f"http://127.0.0.1:{server.server_port}/"
    server.server_close()
    bench.define({"first": {}, "register": {"in": {"data": "first.data"}, "config": {"serve_url": url}, "retries": 2}})
    done = bench.run()
    assert done.returncode == 70
    assert len(bench.events("step-retried")) == 2
    assert "does not answer" in bench.record["reasons"][0]
    assert "resume the run" in done.stdout
    server = HTTPServer(("127.0.0.1", server.server_port), _Quiet)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        assert bench.resume().returncode == 0
    finally:
        server.shutdown()
        server.server_close()
    assert [event["step"] for event in bench.events("step-started")].count("first") == 1
    assert json.loads((bench.newest / "register" / "result.json").read_text(encoding="utf-8"))["decision"] == "pass"


class _Quiet(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
