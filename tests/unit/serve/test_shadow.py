"""The challenger scores what the champion was asked, with the newest candidate that passed, and with nothing else."""

import json
import shutil
from pathlib import Path

import pytest

from mlstep import predictions
from mlstep.canonical import digest_tree, now, pretty, write_atomic
from mlstep.errors import IntegrityError
from mlstep.platform import Platform
from mlstep_serve import candidates, parts
from mlstep_serve.metrics import Metrics
from mlstep_serve.shadow import Shadow
from mlstep_serve.wal import Wal
from tests.unit.serve import kit
from tests.unit.serve.kit import GOOD, MODEL


def make_run(root: Path, run: str, folder: Path, version: int, decision: str, ended: str) -> Path:
    """A run's folder as the pipeline leaves it."""
    place = root / "runs" / "credit" / run
    shutil.copytree(folder, place / "train" / "model")
    content = {"model": MODEL, "version": version, "digest": digest_tree(folder)}
    write_atomic(place / "register" / "candidate" / "candidate.json", pretty(content))
    write_atomic(place / "gate" / "result.json", pretty({"decision": decision, "ended": ended}))
    return place


def test_the_newest_candidate_that_passed_is_taken(promoted: Platform, other_folder: Path) -> None:
    """A later failed run does not hide the one that passed; a later passed one does."""
    make_run(promoted.root, "r1", other_folder, 2, "pass", "2026-01-01T00:00:00.000Z")
    make_run(promoted.root, "r2", other_folder, 3, "fail", "2026-01-02T00:00:00.000Z")
    found = candidates.newest(promoted.root, MODEL)
    assert found is not None
    assert found.version == 2
    make_run(promoted.root, "r3", other_folder, 4, "pass", "2026-01-03T00:00:00.000Z")
    later = candidates.newest(promoted.root, MODEL)
    assert later is not None
    assert later.version == 4


def test_changed_candidate_bytes_are_refused(promoted: Platform, other_folder: Path) -> None:
    """Bytes that are not those which were registered run nowhere, not even in the shadow."""
    place = make_run(promoted.root, "r1", other_folder, 2, "pass", "2026-01-01T00:00:00.000Z")
    (place / "train" / "model" / "model.json").write_text("{}", encoding="utf-8")
    found = candidates.newest(promoted.root, MODEL)
    assert found is not None
    with pytest.raises(IntegrityError, match="does not hold"):
        candidates.verified_folder(promoted.root, found)


def test_requests_are_scored_once_each(running: parts.Parts, other_folder: Path) -> None:
    """What was asked before the candidate came, and after it, is in the log of role challenger, once."""
    assert running.service is not None
    body = json.dumps({"rows": [GOOD, {**GOOD, "income": None}]}).encode()
    running.service.answer(MODEL, body)
    make_run(running.root, "r1", other_folder, 2, "pass", "2026-01-01T00:00:00.000Z")
    wal = Wal(running.root, "challenger", now())
    shadow = Shadow(running.root, wal.append, now, Metrics())
    shadow._tail.skip()
    shadow.tick()
    running.service.answer(MODEL, body)
    shadow.tick()
    shadow.tick()
    asked = predictions.scan(running.root, MODEL)
    scored = predictions.scan(running.root, MODEL, "challenger")
    assert sorted(scored["request_id"]) == sorted(asked["request_id"])
    assert scored["version"].unique().to_list() == [2]
    assert scored["source"].unique().to_list() == ["shadow"]
    assert int(scored["fallback"].sum()) == 2
    (state,) = shadow.state()
    assert (state["scored"], state["fallbacks"]) == (4, 2)
    assert scored.filter(~scored["fallback"])["score"][0] != asked.filter(~asked["fallback"])["score"][0]


def test_the_champion_is_no_challenger_of_itself(promoted: Platform, other_folder: Path) -> None:
    """A candidate that became champion leaves the shadow."""
    make_run(promoted.root, "r1", other_folder, 2, "pass", "2026-01-01T00:00:00.000Z")
    wal = Wal(promoted.root, "challenger", now())
    shadow = Shadow(promoted.root, wal.append, now, Metrics())
    shadow.tick()
    assert shadow.state()[0]["version"] == 2
    kit.promote(promoted, other_folder, 2)
    shadow._looked = float("-inf")
    shadow.tick()
    assert shadow.state()[0]["version"] is None
