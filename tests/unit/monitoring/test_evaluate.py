"""From answers to alerts, with windows that never change once they are closed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mlstep import history, store
from mlstep.canonical import read_json
from mlstep.monitoring import evaluate, publish, state
from mlstep.monitoring.signals import Signals
from mlstep.platform import Platform
from tests.unit.monitoring.conftest import START, hand_in
from tests.unit.serve import kit

MINUTE = timedelta(minutes=1)


def run(facts: Platform, watched: Signals, remembered: state.ModelState, moment: datetime) -> evaluate.Round:
    """One round, its windows kept and its state saved and read again, as the process does."""
    found = evaluate.evaluate(facts, kit.MODEL, watched, remembered, moment)
    state.keep_windows(facts.root, kit.MODEL, found.closed, watched.keep_windows)
    state.save(facts.root, kit.MODEL, remembered)
    assert state.load(facts.root, kit.MODEL) == remembered
    return found


def fired(found: evaluate.Round) -> set[str]:
    """Keys of the alerts that are on, but for those of time."""
    return {key for key in found.state.alerts if not key.startswith(("model_age", "no_traffic", "truth_age"))}


def test_drift_is_seen_after_two_windows_and_ends(
    facts: Platform, watched: Signals, answer: Callable[..., Any]
) -> None:
    """Undrifted windows are quiet, the second drifted one fires, four good ones later it ends."""
    remembered = state.ModelState()
    shifts = [0, 0, 1, 1, 0, 0, 0, 0]
    seen = []
    for number, shift in enumerate(shifts):
        answer(1_000, START + number * MINUTE, shift, seed=10 + number)
        found = run(facts, watched, remembered, START + number * MINUTE + timedelta(seconds=5))
        assert len(found.closed) == 1
        seen.append("feature_drift/income" in found.state.alerts)
        assert not {key for key in fired(found) if "income" not in key}
    assert seen == [False, False, False, True, True, True, True, False]
    assert [alert.subject for alert in found.ended] == ["income"]


def test_several_windows_in_one_round_count_one_by_one(
    facts: Platform, watched: Signals, answer: Callable[..., Any]
) -> None:
    """Monitoring that was down catches up and gets to the same alert; rows of an open window wait."""
    for number, shift in enumerate([0, 1, 1]):
        answer(1_000, START + number * MINUTE, shift, seed=20 + number)
    answer(300, START + 3 * MINUTE, 1, seed=30)
    found = run(facts, watched, state.ModelState(), START + 4 * MINUTE)
    assert [window["rows"] for window in found.closed] == [1_000, 1_000, 1_000]
    assert found.open_rows["predictions"] == 300
    assert found.state.alerts["feature_drift/income"].since == found.closed[1]["begins"]
    again = run(facts, watched, found.state, START + 5 * MINUTE)
    assert again.closed == []


def test_a_window_closes_with_age(facts: Platform, watched: Signals, answer: Callable[..., Any]) -> None:
    """A quiet day's rows are looked at too, if they are enough to say something."""
    answer(250, START)
    later = START + timedelta(hours=25)
    assert [window["rows"] for window in run(facts, watched, state.ModelState(), later).closed] == [250]
    answer(150, later + MINUTE)
    assert run(facts, watched, state.load(facts.root, kit.MODEL), later + timedelta(hours=30)).closed == []


def test_fallbacks_and_missing_values(facts: Platform, watched: Signals, answer: Callable[..., Any]) -> None:
    """Answers without score, and rows without a feature, are told as what they are."""
    wrong = {"fallback": True, "fallback_reason": "age: missing"}
    for number in range(2):
        moment = START + number * MINUTE
        answer(900, moment, seed=40 + number)
        answer(100, moment, seed=50 + number, **wrong, **{"features.age": None})
    found = run(facts, watched, state.ModelState(), START + 5 * MINUTE)
    assert fired(found) == {"fallbacks/", "missing_values/age"}
    assert found.state.alerts["fallbacks/"].detail == "100 of 1000 answers, most often: age: missing"


def test_unfairness_and_performance_come_from_truth(
    facts: Platform, watched: Signals, answer: Callable[..., Any]
) -> None:
    """One region is approved far too rarely and scores say nothing about outcomes: both are red."""
    rng = np.random.default_rng(5)
    for number in range(2):
        answers = answer(1_000, START + number * MINUTE, seed=60 + number)
        groups = np.where(np.arange(1_000) < 400, "north", "south").tolist()
        unfair = answers.with_columns(
            pl.Series("decision", ["decline" if g == "north" and i % 2 else "approve" for i, g in enumerate(groups)])
        )
        unfair.write_parquet(next((facts.root / "predictions").glob(f"*/*/*/{answers['request_id'][0][:26]}.parquet")))
        hand_in(facts.root, answers, rng.integers(0, 2, 1_000), groups)
    found = run(facts, watched, state.ModelState(), START + timedelta(days=400))
    assert {"fairness/region=north", "realised_performance/", "calibration/"} <= fired(found)
    assert found.state.alerts["fairness/region=north"].detail.startswith("50.0% get approve, 100.0% in south")


def test_another_champion_begins_anew(
    facts: Platform, watched: Signals, answer: Callable[..., Any], tmp_path: Path
) -> None:
    """Windows and alerts of the old model end with it."""
    for number in range(2):
        answer(1_000, START + number * MINUTE, 1, seed=70 + number)
    remembered = state.ModelState()
    run(facts, watched, remembered, START + 3 * MINUTE)
    profile = store.folder(facts.root, str(remembered.model_digest)) / "profile.json"
    kit.promote(facts, kit.make_model(tmp_path / "two", 9, read_json(profile)), 2)
    found = run(facts, watched, remembered, START + 4 * MINUTE)
    assert (fired(found), found.state.windows["predictions"]) == (set(), [])
    assert "feature_drift/income" in {alert.key for alert in found.ended}


def test_changed_bytes_raise_the_alarm(facts: Platform, watched: Signals) -> None:
    """The monitors verify the champion themselves, each round."""
    champion = history.current(facts, kit.MODEL)
    assert champion is not None
    file = store.folder(facts.root, champion.model_digest) / "model.json"
    file.chmod(0o600)
    file.write_text("{}", encoding="utf-8")
    found = run(facts, watched, state.ModelState(), START)
    assert "integrity/" in fired(found)
    assert "were changed" in found.state.alerts["integrity/"].detail


def test_what_is_shown(facts: Platform, watched: Signals, answer: Callable[..., Any]) -> None:
    """The page's file and Prometheus' text hold the newest sizes; two models' texts make one."""
    answer(1_000, START, 1)
    found = run(facts, watched, state.ModelState(), START + MINUTE)
    shown = publish.summary(found, watched)
    income = next(one for one in shown["signals"] if (one["signal"], one["subject"]) == ("feature_drift", "income"))
    assert (income["red"], income["red_windows"], income["firing"]) == (True, 1, False)
    text = publish.prometheus(found, watched)
    assert 'strata_feature_psi_red_windows{model="credit",subject="income",of="recent"} 1' in text
    merged = publish.merge([text, text.replace('model="credit"', 'model="fraud"')])
    assert merged.count("# TYPE strata_feature_psi gauge") == 1
