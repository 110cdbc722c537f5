"""The step register, as far as it goes without MLflow: what it refuses, and what a failure leaves behind."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mlstep import store
from mlstep.canonical import digest_tree
from mlstep.errors import ConfigError, RefusedError, UnavailableError
from mlstep_train.tracking import Tracking
from tests.unit.train import making
from tests.unit.train.conftest import Trained


class Answers(BaseHTTPRequestHandler):
    """Gives the next prepared status, with an empty JSON object."""

    statuses: ClassVar[list[int]] = []
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer."""
        Answers.seen.append(self.path)
        self.send_response(Answers.statuses.pop(0))
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server that answers as it is told."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    Answers.statuses, Answers.seen = [], []
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A platform folder, as far as the store needs one."""
    (tmp_path / "root" / "artifacts").mkdir(parents=True)
    return tmp_path / "root"


def tracked(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """The environment that the runner gives."""
    for name, value in {"URI": uri, "USERNAME": "pipeline", "PASSWORD": "token-of-pipeline"}.items():
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)


def register(trained: Trained, folder: Path, **config: Any) -> None:
    """Run the step."""
    making.run(folder, "register", {"model": trained.model}, config)


def test_without_tracking_server_it_says_so(
    trained: Trained, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No environment, no guess: the missing variables are named, and nothing is stored."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME", raising=False)
    with pytest.raises(ConfigError, match="MLFLOW_TRACKING_URI, MLFLOW_TRACKING_USERNAME"):
        register(trained, tmp_path, author="j.ek@demo.example", root=str(root))
    assert list((root / "artifacts").iterdir()) == []


def test_mistakes_of_the_call_come_together(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody as author, no platform and another model's name are one message."""
    tracked(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match=r"author is empty.*no folder artifacts.*called pumps .* and credit"):
        register(trained, tmp_path, author=" ", root=str(tmp_path / "none"), model="credit")


def test_mlflow_away_is_worth_a_retry(
    trained: Trained, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error asks for a retry (exit code 75), never shows the token, and the bytes are already safe."""
    tracked(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(UnavailableError) as failure:
        register(trained, tmp_path, author="j.ek@demo.example", root=str(root), attempts=1)
    assert failure.value.exit_code == 75
    assert "token-of-pipeline" not in str(failure.value)
    assert store.verify(root, digest_tree(trained.model)).is_dir()
    assert not (tmp_path / "register" / "result.json").exists()


def test_server_that_restarts_is_waited_for(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two failed answers and then a good one are one good answer; the waits between them grow."""
    waits: list[float] = []
    monkeypatch.setattr("mlstep_train.tracking.time.sleep", waits.append)
    Answers.statuses = [503, 500, 200]
    assert Tracking(server, "u", "p", attempts=3)._call("GET", "runs/get", run_id="1") == {}
    assert len(Answers.seen) == 3
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize(("status", "error"), [(401, ConfigError), (403, RefusedError), (400, RefusedError)])
def test_refusals_are_not_repeated(server: str, status: int, error: type[Exception]) -> None:
    """A wrong password and a missing right do not get better by asking again."""
    Answers.statuses = [status]
    with pytest.raises(error):
        Tracking(server, "u", "p", attempts=5)._call("GET", "runs/get", run_id="1")
    assert len(Answers.seen) == 1


def test_configuration_is_written_without_secrets(trained: Trained) -> None:
    """Nothing of the model folder names a token or a machine's path."""
    text = json.dumps(
        [path.read_text(encoding="utf-8") for path in trained.model.glob("*.json") if path.name != "manifest.json"]
    )
    assert "token" not in text
    assert str(trained.folder) not in text
