"""What crashes is tried again, what is wrong is not, and a run goes on where it stopped."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.unit.core.bench import Bench


def count(bench: Bench) -> int:
    """How often the counting step was tried."""
    return int((bench.folder / "count").read_text(encoding="utf-8"))


def counting(bench: Bench, *codes: int) -> dict[str, object]:
    """Configuration of a step that counts its attempts and ends with these codes."""
    return {"attempts": list(codes), "counter": str(bench.folder / "count")}


def test_a_crash_is_retried(bench: Bench) -> None:
    """A step that crashes twice and has two retries passes; the pauses grow."""
    bench.define({"only": {"config": counting(bench, 1, 75), "retries": 2}})
    assert bench.run().returncode == 0
    assert count(bench) == 3
    pauses = [event["pause_seconds"] for event in bench.events("step-retried")]
    assert pauses == [0.01, 0.02]
    assert bench.record["steps"]["only"]["attempts"] == 3


@pytest.mark.parametrize("code", [2, 3, 4])
def test_what_cannot_end_otherwise_is_not_retried(bench: Bench, code: int) -> None:
    """Wrong configuration, changed bytes and refusals are tried once."""
    bench.define({"only": {"config": counting(bench, code, code), "retries": 3}})
    assert bench.run().returncode == 70
    assert count(bench) == 1


def test_wrong_configuration_is_told_in_full(bench: Bench) -> None:
    """The step's own message is the run's reason."""
    bench.define({"only": {"config": {"text": "a", "txet": 1, "decision": "maybe"}}})
    done = bench.run()
    assert done.returncode == 70
    reason = bench.record["reasons"][0]
    assert "txet" in reason
    assert "decision" in reason
    assert "known keys" in reason
    assert bench.record["steps"]["only"]["attempts"] == 1


def test_retries_end(bench: Bench) -> None:
    """When the retries are used up, the run has crashed and says with which code and where the log is."""
    bench.define({"only": {"config": counting(bench, 9, 9, 9), "retries": 1}, "after": {"needs": ["only"]}})
    assert bench.run().returncode == 70
    assert count(bench) == 2
    assert bench.states() == {"only": "crashed", "after": "waiting"}
    assert "exit code 9" in bench.record["reasons"][0]
    assert "log.txt" in bench.record["reasons"][0]


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
