"""Only what the verified history names last, with the right bytes, is ever loaded."""

import json
from pathlib import Path

from mlstep import history, store
from mlstep.platform import Platform
from mlstep_serve import parts
from mlstep_serve.champions import Champions
from mlstep_serve.scorer import load_model
from tests.unit.serve import kit
from tests.unit.serve.kit import MODEL


def follow(facts: Platform) -> tuple[Champions, list[tuple[str, str]]]:
    """Champions that were looked at once, and the events they told."""
    events: list[tuple[str, str]] = []
    champions = Champions(facts.root, load_model, lambda model, event: events.append((model, event)))
    champions.poll()
    return champions, events


def version(champions: Champions) -> int | None:
    """Which version answers."""
    champion = champions.get(MODEL)
    return champion.version if champion else None


def look(champions: Champions) -> None:
    """Poll as if the file had just changed."""
    champions._seen.clear()
    champions.poll()


def test_a_promotion_changes_who_answers(promoted: Platform, other_folder: Path) -> None:
    """The next look after a promotion loads the new bytes, and after a rollback the old ones."""
    champions, _ = follow(promoted)
    assert version(champions) == 1
    kit.promote(promoted, other_folder, 2)
    champions.poll()
    assert version(champions) == 2


def test_changed_bytes_are_not_loaded(promoted: Platform, other_folder: Path) -> None:
    """One changed byte in the store: the old champion stays, and an alarm says so."""
    champions, events = follow(promoted)
    entry = kit.promote(promoted, other_folder, 2)
    file = store.folder(promoted.root, entry.model_digest) / "model.skops"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    look(champions)
    assert version(champions) == 1
    assert "were changed" in champions.alarms()[MODEL]
    assert events[-1] == (MODEL, "refused")


def test_changed_bytes_are_not_loaded_at_start(promoted: Platform) -> None:
    """A service that starts with changed bytes has no champion and answers with the fallback."""
    entry = history.current(promoted, MODEL)
    assert entry is not None
    file = store.folder(promoted.root, entry.model_digest) / "model.json"
    file.chmod(0o600)
    file.write_text(file.read_text(encoding="utf-8").replace("0.5", "0.9"), encoding="utf-8")
    service = parts.build(promoted.root, "champion", 1.0)
    service.start()
    assert service.service is not None
    answer = service.service.answer(MODEL, json.dumps(kit.GOOD).encode())
    service.stop()
    assert answer["fallback"]


def test_a_forged_line_is_refused(promoted: Platform, other_folder: Path) -> None:
    """A line that the promote key did not sign changes nothing."""
    champions, _ = follow(promoted)
    digest = store.put(promoted.root, other_folder)
    file = history.path(promoted.root, MODEL)
    forged = json.loads(file.read_text(encoding="utf-8"))
    previous = history.read(promoted, MODEL)[-1].digest
    forged |= {"sequence": 2, "previous": previous, "version": 2, "model_digest": digest}
    file.write_text(file.read_text(encoding="utf-8") + json.dumps(forged) + "\n", encoding="utf-8")
    look(champions)
    assert version(champions) == 1
    assert "the promote key did not sign it" in champions.alarms()[MODEL]


def test_a_history_that_was_cut_is_refused(promoted: Platform, other_folder: Path) -> None:
    """Taking the last line away leaves a valid chain; the service has seen more and keeps its champion."""
    kit.promote(promoted, other_folder, 2)
    champions, _ = follow(promoted)
    file = history.path(promoted.root, MODEL)
    file.write_text(file.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
    look(champions)
    assert version(champions) == 2
    assert "is no longer in it" in champions.alarms()[MODEL]


def test_a_history_that_vanished_is_refused(promoted: Platform) -> None:
    """Without its history the champion stays, with an alarm."""
    champions, _ = follow(promoted)
    history.path(promoted.root, MODEL).unlink()
    look(champions)
    assert version(champions) == 1
    assert MODEL in champions.alarms()


def test_an_alarm_ends_when_the_history_is_right_again(promoted: Platform) -> None:
    """After the file is restored the alarm is gone."""
    champions, events = follow(promoted)
    file = history.path(promoted.root, MODEL)
    good = file.read_text(encoding="utf-8")
    file.write_text("broken\n", encoding="utf-8")
    look(champions)
    assert champions.alarms()
    file.write_text(good, encoding="utf-8")
    look(champions)
    assert not champions.alarms()
    assert events[-1] == (MODEL, "verified")


def test_a_model_of_another_name_is_refused(promoted: Platform, tmp_path: Path) -> None:
    """The history of one model cannot bring another model into its place."""
    champions, _ = follow(promoted)
    kit.promote(promoted, kit.make_model(tmp_path / "other", seed=3, name="fraud"), 2)
    look(champions)
    assert version(champions) == 1
    assert "is model fraud, not credit" in champions.alarms()[MODEL]
