"""The service over HTTP: limits, names, states."""

import json
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from mlstep.platform import Platform
from mlstep_serve import app, parts
from tests.unit.serve.kit import GOOD


@pytest.fixture
def client(promoted: Platform) -> Iterator[TestClient]:
    """A client of the champion's service."""
    with TestClient(app.build(parts.build(promoted.root, "champion", 1.0))) as found:
        yield found


def test_one_row_and_many(client: TestClient) -> None:
    """One row gives one answer with all its fields, rows give a list."""
    one = client.post("/predict", json=GOOD).json()
    assert set(one) == {
        "request_id", "score", "decision", "fallback", "fallback_reason", "model", "version", "model_digest",
    }  # fmt: skip
    assert not one["fallback"]
    many = client.post("/models/credit/predict", json={"rows": [GOOD, GOOD]}).json()["predictions"]
    assert [answer["score"] for answer in many] == [one["score"]] * 2


def test_limits(client: TestClient) -> None:
    """Too many bytes or rows are 413 with a remedy, an unknown model 404 with those that are known."""
    large = client.post("/predict", content=b" " * ((10 << 20) + 1))
    assert (large.status_code, large.json()["error"]) == (413, "the body is larger than 10 MiB")
    assert client.post("/predict", content=json.dumps({"rows": [{}] * 10_001})).status_code == 413
    unknown = client.post("/models/nope/predict", json=GOOD)
    assert (unknown.status_code, unknown.json()["remedy"]) == (404, "known models: credit")


def test_a_large_request_is_answered(client: TestClient) -> None:
    """Ten thousand rows are one request."""
    answers = client.post("/predict", json={"rows": [GOOD] * 10_000}).json()["predictions"]
    assert len({answer["request_id"] for answer in answers}) == 10_000


def test_states(client: TestClient) -> None:
    """Ready says who answers, models list digests, metrics count answers, docs are there."""
    client.post("/predict", json={"income": -1})
    ready = client.get("/ready").json()
    assert (ready["champion"], ready["message"]) == (True, "credit v1 answers")
    assert len(client.get("/models").json()["models"][0]["model_digest"]) == 64
    assert 'strata_predictions_total{fallback="yes",model="credit",version="1"} 1.0' in client.get("/metrics").text
    assert client.get("/docs").status_code == 200
    assert client.get("/healthz").json() == {"status": "ok"}


def test_ready_without_a_champion(facts: Platform) -> None:
    """No champion is a state, not a failure: the service is ready and says what it does."""
    with TestClient(app.build(parts.build(facts.root, "champion", 1.0))) as client:
        ready = client.get("/ready")
    assert ready.status_code == 200
    assert ready.json()["message"] == "no champion yet: every request gets the defined fallback"


def test_the_challenger_never_answers(promoted: Platform) -> None:
    """Callers are refused, whatever they ask."""
    with TestClient(app.build(parts.build(promoted.root, "challenger", 1.0))) as client:
        assert client.get("/ready").json()["role"] == "challenger"
        for path in ("/predict", "/models/credit/predict"):
            refused = client.post(path, json=GOOD)
            assert (refused.status_code, "score" in refused.json()) == (403, False)


def test_a_withheld_answer_is_503(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a record there is no answer, and the caller is told to come again."""

    def full(_self: object, _records: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mlstep_serve.wal.Wal._write", full)
    withheld = client.post("/predict", json=GOOD)
    assert withheld.status_code == 503
    assert "score" not in withheld.json()
