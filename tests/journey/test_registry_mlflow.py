"""Candidates and champions in a real MLflow: who may do what, and that nothing is registered twice."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlstep import platform, store
from mlstep.canonical import digest_tree, read_json
from mlstep.history import Entry
from mlstep_promote import alias
from tests.journey import mlflow_server
from tests.journey.mlflow_server import Server
from tests.unit.train import making
from tests.unit.train.conftest import Trained, trained

__all__ = ["trained"]

AUTHOR = "j.ek@demo.example"
CANDIDATE = "pumps-candidate"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """MLflow as the platform runs it."""
    with mlflow_server.running(tmp_path_factory.mktemp("mlflow")) as running:
        yield running


def register(server: Server, trained: Trained, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run the step as the pipeline's identity; return candidate.json."""
    for name, value in server.variables("pipeline").items():
        monkeypatch.setenv(name, value)
    config = {"author": AUTHOR, "root": str(server.root), "pipeline": "pumps", "model": "pumps"}
    making.run(folder, "register", {"model": trained.model}, config)
    content: dict[str, Any] = read_json(folder / "register" / "candidate" / "candidate.json")
    return content


def versions(server: Server, model: str) -> list[dict[str, Any]]:
    """Versions of a registered model, as the auditor sees them."""
    answer = server.get("audit", "model-versions/search", filter=f"name='{model}'")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json().get("model_versions", [])
    return found


def entry(digest: str, version: int) -> Entry:
    """A line of the history, as far as MLflow hears of it."""
    texts = {field.name: "x" for field in dataclasses.fields(Entry)}
    return Entry(**{**texts, "model": "credit", "version": version, "model_digest": digest, "sequence": version})  # type: ignore[arg-type]


def as_platform(server: Server, uri: str) -> platform.Platform:
    """A platform whose registry is the server."""
    token = server.root / "promote.token"
    foundation = {"contract_version": 1, "identities": {"promote": {"user": "promote", "token_file": str(token)}}}
    return platform.Platform(server.root, {"foundation": foundation, "registry": {"tracking_uri": uri}})


def test_candidate_is_registered_once(
    server: Server, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes from the same run, registered again after a crash, are the same version and the same run."""
    first = register(server, trained, tmp_path / "one", monkeypatch)
    again = register(server, trained, tmp_path / "two", monkeypatch)
    assert (first["version"], first["mlflow_run_id"]) == (again["version"], again["mlflow_run_id"])
    assert first["digest"] == digest_tree(trained.model)
    assert store.verify(server.root, first["digest"]).is_dir()
    (version,) = versions(server, CANDIDATE)
    assert version["source"] == store.uri(first["digest"])
    assert version["run_id"] == first["mlflow_run_id"]
    assert {tag["key"]: tag["value"] for tag in version["tags"]} == {
        "strata.author": AUTHOR,
        "strata.digest": first["digest"],
        "strata.run": "run",
    }


def test_run_names_data_by_our_digest(
    server: Server, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parameters and metrics are there, and data sets carry the SHA-256 of all their bytes."""
    made = register(server, trained, tmp_path, monkeypatch)
    run = server.get("audit", "runs/get", run_id=made["mlflow_run_id"]).json()["run"]
    assert run["info"]["status"] == "FINISHED"
    assert {"algorithm", "seed", "contract_sha256"} <= {entry["key"] for entry in run["data"]["params"]}
    assert "train.validation_auc" in {entry["key"] for entry in run["data"]["metrics"]}
    digests = {
        tag["value"]
        for data in run["inputs"]["dataset_inputs"]
        for tag in data["tags"]
        if tag["key"] == "strata.sha256"
    }
    assert digests == set(made["data"].values())


@pytest.mark.parametrize("identity", ["develop", "pipeline", "serve", "audit"])
@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("model-versions/create", {"name": "credit", "source": store.uri("0" * 64)}),
        ("registered-models/alias", {"name": "credit", "alias": "champion", "version": "1"}),
        ("registered-models/set-tag", {"name": "credit", "key": "risk_signoff", "value": "approved"}),
    ],
)
def test_only_promote_touches_the_champions_model(
    server: Server, identity: str, path: str, content: dict[str, str]
) -> None:
    """Whoever holds another identity's credentials cannot register, move the alias or forge a tag."""
    assert server.post(identity, path, **content).status_code == 403


def test_alias_follows_the_history_and_back(server: Server) -> None:
    """Two promotions and a rollback: the alias names the bytes that answer, and no version is made twice."""
    where = as_platform(server, server.uri)
    first, second = entry("1" * 64, 1), entry("2" * 64, 2)
    named = []
    for line in (first, second, first):
        followed = alias.follow(where, line)
        assert followed.state == "in line", followed.detail
        answer = server.get("audit", "registered-models/alias", name="credit", alias="champion").json()
        named.append(answer["model_version"]["source"])
    assert named == [store.uri(line.model_digest) for line in (first, second, first)]
    assert len(versions(server, "credit")) == 2


def test_alias_says_when_it_is_behind(server: Server) -> None:
    """A server that does not answer stops nothing: the answer says that MLflow is behind, and why."""
    followed = alias.follow(as_platform(server, "http://127.0.0.1:9"), entry("1" * 64, 1))
    assert followed.state == "behind"
    assert "127.0.0.1:9" in followed.detail
    assert server.tokens["promote"] not in json.dumps(dataclasses.asdict(followed))
