"""The stages of one machine over the engine, with a real MLflow: a step up only adds, and secrets stay secret."""

import json
import sqlite3
from pathlib import Path

import httpx

from tests.engine.harness import Result
from tests.engine.local_platform import LocalPlatform, command_line, wait_for
from tests.engine.local_stages import PROGRAM, arguments, stand_in

CHAMPION = "api/2.0/mlflow/registered-models/alias"


def _want(platform: LocalPlatform, stage: int, python: str) -> None:
    wanted = {"stage": stage, "python": python, "arguments": arguments(platform)}
    platform.write("stages.json", json.dumps(wanted))
    platform.write("__main__.py", PROGRAM)


def _only_adds(result: Result) -> bool:
    return result.ok and set(result.changes) == {"create", "same"}


def test_a_step_up_only_adds(local_platform: LocalPlatform, tmp_path: Path) -> None:
    """From stage to stage nothing that is there is updated, replaced or deleted; destroy and up find the data again."""
    python = stand_in(tmp_path / "stand-in")
    _want(local_platform, 1, python)
    local_platform.up()
    mlflow = local_platform.programs("mlflow")
    assert len(mlflow) == 1, "MLflow runs in one process"
    for stage in (2, 3):
        _want(local_platform, stage, python)
        assert _only_adds(local_platform.up())
    _want(local_platform, 4, python)
    assert _only_adds(local_platform.preview())
    assert local_platform.programs("mlflow") == mlflow

    _secrets_are_nowhere(local_platform)
    _rights_are_separate(local_platform)

    _want(local_platform, 3, python)
    _lost_user_comes_back(local_platform)
    local_platform.destroy()
    kept = {path.name: path.read_text() for path in (local_platform.root / "secrets").iterdir()}
    # Data stays; what describes the platform, and temporary files of its processes, go.
    assert [name for name in ("platform", "tmp") if (local_platform.root / name).exists()] == []
    local_platform.up()
    assert {path.name: path.read_text() for path in (local_platform.root / "secrets").iterdir()} == kept
    assert local_platform.unchanged()


def _secrets_are_nowhere(platform: LocalPlatform) -> None:
    """Neither the state, nor an output, a log, a command line or a platform file holds a secret's value."""
    files = list((platform.root / "secrets").iterdir())
    values = [path.read_text(encoding="utf-8") for path in files]
    assert len(values) == 9  # five tokens, MLflow's two, the promotion's key and one demo signer's
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    places = [json.dumps(platform.engine.export(platform.folder))]
    places += [path.read_text(encoding="utf-8") for path in (platform.root / "platform").iterdir()]
    places += [path.read_text(encoding="utf-8") for path in (platform.root / "logs").iterdir()]
    places += [command_line(pid).decode() for pid in platform.pids()]
    assert not [value for value in values for place in places if value in place]


def _client(platform: LocalPlatform, user: str, secret: str) -> httpx.Client:
    token = (platform.root / "secrets" / secret).read_text(encoding="utf-8")
    return httpx.Client(base_url=f"http://127.0.0.1:{platform.base}", auth=(user, token), timeout=60, trust_env=False)


def _rights_are_separate(platform: LocalPlatform) -> None:
    """Everybody reads; only `promote` may touch the champion's model; a stranger and a wrong host are turned away."""
    move = {"name": "credit", "alias": "champion", "version": "1"}
    for user in ("develop", "pipeline", "serve", "audit"):
        with _client(platform, user, f"{user}.token") as client:
            assert client.get("/api/2.0/mlflow/registered-models/get?name=credit").status_code == 200
            assert client.post(f"/{CHAMPION}", json=move).status_code == 403, user
    with _client(platform, "promote", "promote.token") as client:
        # It may, but there is no version 1 yet.
        assert client.post(f"/{CHAMPION}", json=move).status_code in (400, 404)
        strange = client.get("/api/2.0/mlflow/registered-models/get?name=credit", headers={"Host": "x.example"})
        assert strange.status_code == 403
    with httpx.Client(base_url=f"http://127.0.0.1:{platform.base}", trust_env=False) as client:
        assert client.get("/api/2.0/mlflow/registered-models/get?name=credit").status_code == 401


def _lost_user_comes_back(platform: LocalPlatform) -> None:
    """A user who was removed in MLflow is seen by a preview and made again by an up, with the same token."""
    with _client(platform, "admin", "mlflow-admin") as admin:
        gone = admin.request("DELETE", "/api/2.0/mlflow/users/delete", json={"username": "audit"})
        assert gone.status_code == 200
    assert not platform.unchanged()
    assert platform.up().changes["update"] == 1
    with _client(platform, "audit", "audit.token") as client:
        assert client.get("/api/2.0/mlflow/registered-models/get?name=credit").status_code == 200
    with sqlite3.connect(platform.root / "mlflow" / "auth.db") as database:
        names = {row[0] for row in database.execute("select username from users")}
    assert names == {"admin", "develop", "pipeline", "promote", "serve", "audit"}
    wait_for("an unchanged preview", platform.unchanged)
