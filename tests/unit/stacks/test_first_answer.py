"""The first answer waits for the service to find a model of a new name."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from stacks.commands import platform_files, prediction
from stacks.commands.failure import Failure
from stacks.record import Record

DIGEST = "a" * 64


class StandIn(BaseHTTPRequestHandler):
    """A stand-in for the service: does not know the model the first `late` times."""

    late = 2

    def do_POST(self) -> None:
        """Answer 404 until the model is there."""
        type(self).late -= 1
        known = type(self).late < 0
        body = json.dumps({"model_digest": DIGEST, "fallback": False, "request_id": "R"} if known else {}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What `ask` needs of a record, and a service that answers late."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(platform_files, "stage_file", lambda _record, _stage: {"prediction_service": address})
    monkeypatch.setattr(prediction, "ordinary_row", lambda _folder: {"income": 1})
    monkeypatch.setattr(prediction, "POLL_SECONDS", 0.01)
    yield cast(Record, SimpleNamespace(root=tmp_path, stack_name="demo-dev"))
    server.shutdown()
    server.server_close()


def test_a_model_that_is_not_known_yet_is_asked_again(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """404 right after a promotion is no failure: the service reads the history a moment later."""
    monkeypatch.setattr(StandIn, "late", 2)
    answer, _ = prediction.ask(record, {"model": "loans", "digest": DIGEST, "version": 1})
    assert answer["request_id"] == "R"


def test_a_model_that_never_comes_is_told(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the wait the model that does not answer is named."""
    monkeypatch.setattr(StandIn, "late", 10**6)
    monkeypatch.setattr(prediction, "WAIT_SECONDS", 0.1)
    with pytest.raises(Failure, match="does not answer with loans v1"):
        prediction.ask(record, {"model": "loans", "digest": DIGEST, "version": 1})
