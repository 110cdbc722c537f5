"""Whatever is sent, an answer comes, with the reason if it is the fallback."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlstep import predictions
from mlstep.platform import Platform
from mlstep_serve import parts
from mlstep_serve.service import TooManyRows
from tests.unit.serve import kit
from tests.unit.serve.kit import GOOD, MODEL

BAD_BODIES: list[tuple[str, bytes, str]] = [
    ("empty", b"", "not JSON"),
    ("text", b"hello", "not JSON"),
    ("cut off", b'{"income": 4', "not JSON"),
    ("not UTF-8", b'{"income": "\xff\xfe"}', "not JSON"),
    ("nested too deep", b"[" * 200_000, "not JSON"),
    ("a number of too many digits", b'{"income": ' + b"9" * 5000 + b"}", "not JSON"),
    ("a list", b"[1, 2]", "no map"),
    ("null", b"null", "no map"),
    ("a number", b"3", "no map"),
    ("rows that are none", b'{"rows": 3}', "no list of rows"),
    ("no rows", b'{"rows": []}', "no list of rows"),
]
BAD_ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("nothing", {}, "income: missing"),
    ("one missing", {"income": None}, "income: missing"),
    ("below", {"income": -1}, "income: -1 is outside"),
    ("above", {"age": 101}, "age: 101 is outside"),
    ("text for a number", {"income": "40000"}, "income: text, expected a number"),
    ("truth value for a number", {"income": True}, "income: truth value, expected a number"),
    ("NaN", {"income": math.nan}, "income: not a finite number"),
    ("infinity", {"income": math.inf}, "income: not a finite number"),
    ("huge", {"income": 10**400}, "income: a number too large"),
    ("map for a number", {"income": {"$gt": 0}}, "income: map, expected a number"),
    ("list for a category", {"home": ["own"]}, "home: list, expected text"),
    ("unseen category", {"home": "castle"}, "home: 'castle' was not seen"),
    ("long text", {"home": "x" * 1000}, "home: text of more than 200 letters"),
    ("half a character", {"home": "\ud800"}, "home: text with half a character"),
    ("number for a truth value", {"employed": 1}, "employed: number, expected true or false"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Iterator[parts.Parts]:
    """One champion's service for all: an answer changes nothing but the log, which grows."""
    facts = kit.make_platform(tmp_path_factory.mktemp("fallback") / "root")
    kit.promote(facts, model_folder, 1)
    service = parts.build(facts.root, "champion", 1.0)
    service.start()
    yield service
    service.stop()


def logged(running: parts.Parts) -> list[dict[str, Any]]:
    """What the service has kept so far."""
    return list(predictions.read_wal_file(running.compactor.wal.path))


@pytest.mark.parametrize(("body", "reason"), [pytest.param(body, reason, id=name) for name, body, reason in BAD_BODIES])
def test_a_broken_body_gets_the_models_fallback(running: parts.Parts, body: bytes, reason: str) -> None:
    """A body that cannot be understood is answered with the fallback, and the answer is kept."""
    assert running.service is not None
    before = len(logged(running))
    answer = running.service.answer(MODEL, body)
    assert (answer["fallback"], answer["decision"], answer["version"]) == (True, "refer", 1)
    assert reason in answer["fallback_reason"]
    assert [record["request_id"] for record in logged(running)[before:]] == [answer["request_id"]]


@pytest.mark.parametrize(
    ("change", "reason"), [pytest.param(change, reason, id=name) for name, change, reason in BAD_ROWS]
)
def test_a_bad_value_gets_the_fallback_with_its_name(running: parts.Parts, change: dict[str, Any], reason: str) -> None:
    """A value that is missing, out of range or of another kind is named in the reason; nothing is guessed."""
    assert running.service is not None
    row = {**GOOD, **change} if change else {}
    answer = running.service.answer(MODEL, json.dumps(row).encode())
    assert answer["fallback"], answer
    assert reason in answer["fallback_reason"]
    json.dumps(logged(running)[-1], allow_nan=False)


def test_good_and_bad_rows_are_answered_in_their_order(running: parts.Parts) -> None:
    """One bad row among good ones takes the fallback alone."""
    assert running.service is not None
    body = json.dumps({"rows": [GOOD, {**GOOD, "age": None}, GOOD]}).encode()
    answers = running.service.answer(MODEL, body)["predictions"]
    assert [answer["fallback"] for answer in answers] == [False, True, False]
    assert answers[0]["score"] == answers[2]["score"]
    assert len({answer["request_id"] for answer in answers}) == 3


def test_without_a_champion_the_case_goes_to_a_person(facts: Platform) -> None:
    """No champion: the decision is to refer, and the record says why."""
    service = parts.build(facts.root, "champion", 1.0)
    service.start()
    assert service.service is not None
    answer = service.service.answer(MODEL, json.dumps(GOOD).encode())
    service.stop()
    assert (answer["score"], answer["decision"], answer["fallback_reason"]) == (None, "refer", "no champion yet")
    assert predictions.find(facts.root, answer["request_id"]) is not None


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -0.1, 1.5])
def test_a_score_that_cannot_be_right_does_not_leave(
    running: parts.Parts, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    """A model that gives a score outside 0 to 1 is answered for by its fallback."""
    champion = running.champions.get(MODEL)
    assert champion is not None
    assert running.service is not None
    monkeypatch.setattr(champion.loaded, "predict_scores", lambda rows: [wrong] * len(rows))
    answer = running.service.answer(MODEL, json.dumps(GOOD).encode())
    assert answer["fallback"]
    assert answer["fallback_reason"].startswith("the model's score")


def test_a_model_that_raises_is_answered_for(running: parts.Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect in the model's code reaches no caller."""

    def broken(_rows: object) -> None:
        raise RuntimeError("defect")

    champion = running.champions.get(MODEL)
    assert champion is not None
    assert running.service is not None
    monkeypatch.setattr(champion.loaded, "predict_scores", broken)
    answer = running.service.answer(MODEL, json.dumps(GOOD).encode())
    assert answer["fallback_reason"] == "the model failed (RuntimeError)"


def test_unknown_keys_are_dropped_and_counted(running: parts.Parts) -> None:
    """What is no feature may be personal data: neither its name nor its value is kept."""
    assert running.service is not None
    answer = running.service.answer(MODEL, json.dumps({**GOOD, "iban": "SE3550000000054910000003"}).encode())
    record = predictions.find(running.root, answer["request_id"])
    assert record is not None
    assert record["unknown_keys"] == 1
    assert "iban" not in json.dumps(record)


def test_too_many_rows_are_refused(running: parts.Parts) -> None:
    """More than 10,000 rows are not one request."""
    assert running.service is not None
    with pytest.raises(TooManyRows, match="10001 rows, at most 10000"):
        running.service.answer(MODEL, json.dumps({"rows": [{}] * 10_001}).encode())
