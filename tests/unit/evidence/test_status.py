"""One screen about a platform: what was configured, what was really reached, what needs a look."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mlstep import history
from mlstep.canonical import pretty, read_json, write_atomic
from mlstep.evidence import health
from mlstep.evidence.overview import gather, needs_attention
from mlstep.evidence.status import main
from tests.unit.evidence.stages import raise_to_four
from tests.unit.evidence.world import World
from tests.unit.portal.bank import RUNS, open_bank, record_run


class _Answer(BaseHTTPRequestHandler):
    """Well at health paths; at MLflow's alias what the test wants."""

    digest: ClassVar[str | None] = None
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer as MLflow or any process of ours does."""
        type(self).asked.append(self.headers.get("Authorization", ""))
        if not self.path.startswith("/api/"):
            return self._send(200, {"status": "ok"})
        if self.digest is None:
            return self._send(404, {})
        tags = [{"key": "strata.digest", "value": self.digest}]
        return self._send(200, {"model_version": {"version": "4", "tags": tags}})

    def _send(self, status: int, content: dict[str, Any]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[int]:
    """A port on which something answers like MLflow and like a healthy process."""
    _Answer.digest, _Answer.asked = None, []
    with HTTPServer(("127.0.0.1", 0), _Answer) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield http.server_port
        http.shutdown()
        thread.join()


def _stages(world: World) -> dict[str, Any]:
    return dict(gather(world.platform)["stage"])


def test_nothing_is_reached_before_something_happened(world: World) -> None:
    """Configured is not reached: each stage lacks its proof."""
    raise_to_four(world.root, 1)
    found = _stages(world)
    assert (found["configured"], found["reached"]) == (4, 0)
    assert all(set(stage["proofs"].values()) == {None} for stage in found["stages"])


def test_each_stage_is_reached_by_its_proof(world: World) -> None:
    """An answer, a run, truth and an alert reach stage 3; without features online stage 4 stays open."""
    raise_to_four(world.root, 1)
    world.answer(world.promote(record_run(world, world.train(RUNS[0]))))
    assert _stages(world)["reached"] == 2


def test_the_full_bank(world: World) -> None:
    """Champion with metrics, an open alert, the last runs, the candidate that waits."""
    open_bank(world)
    found = gather(world.platform)
    assert (found["stage"]["configured"], found["stage"]["reached"]) == (4, 3)
    (model,) = found["models"]
    assert (model["champion"]["version"], model["metrics"]["auc"]["value"]) == (2, 0.742)
    assert [alert["subject"] for alert in found["alerts"]] == ["income"]
    assert [run["run"] for run in found["runs"]] == [RUNS[2], RUNS[1], RUNS[0]]
    assert [(item["version"], item["author"]) for item in found["waiting"]] == [(3, "retraining")]


def test_processes_are_asked(world: World, server: int) -> None:
    """A process that answers is healthy, one that does not is down; stages not there are not asked."""
    raise_to_four(world.root, server)
    foundation = read_json(world.root / "platform" / "foundation.json")
    write_atomic(world.root / "platform" / "foundation.json", pretty({**foundation, "ports": {"base": server}}))
    for stage in ("pipelines", "monitoring", "feature_store"):
        (world.root / "platform" / f"{stage}.json").unlink()
    states = {entry["name"]: entry["state"] for entry in health.processes(world.platform)}
    assert set(states) == {"mlflow", "prediction", "portal"}
    assert states["mlflow"] == "healthy"
    assert "prediction does not answer" in " ".join(needs_attention(gather(world.platform)))


@pytest.mark.parametrize(("digest", "state"), [("own", "in line"), ("0" * 64, "out of line"), (None, "out of line")])
def test_the_alias_is_compared_with_the_history(world: World, server: int, digest: str | None, state: str) -> None:
    """MLflow's champion is in line only with the very bytes that the history names; asked as the auditor."""
    raise_to_four(world.root, server)
    entry = world.promote(record_run(world, world.train(RUNS[0])))
    _Answer.digest = entry.model_digest if digest == "own" else digest
    assert health.alias(world.platform, entry)["state"] == state
    assert _Answer.asked[-1].startswith("Basic ")


def test_a_silent_mlflow_is_not_out_of_line(world: World) -> None:
    """Not knowing is neither good nor bad."""
    raise_to_four(world.root, 1)
    entry = world.promote(world.train(RUNS[0]))
    assert health.alias(world.platform, entry)["state"] == "not known"


def test_a_broken_history_needs_attention(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said in words and by the exit code, and the screen is still complete."""
    world.promote(world.train(RUNS[0]))
    _break(history.path(world.root, "credit"))
    assert main(["--root", str(world.root)]) == 1
    printed = capsys.readouterr().out
    assert "the promote key did not sign it" in printed
    assert "stage       0 configured, 0 reached" in printed


def test_nothing_to_look_at(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A platform before its first stage is well."""
    assert main(["--root", str(world.root)]) == 0
    assert "nothing needs attention" in capsys.readouterr().out
    assert main(["--root", str(world.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["attention"] == []


def _break(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("better and fair", "worse"), encoding="utf-8")
