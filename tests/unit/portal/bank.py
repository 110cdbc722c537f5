"""The small bank with everything pages can show: four stages, two champions, reports, windows, alerts, truth."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from mlstep import history
from mlstep.alerts import journal
from mlstep.canonical import iso, read_json
from mlstep.history import Entry
from mlstep.monitoring import publish, signals
from mlstep.monitoring.evaluate import Round
from mlstep.monitoring.measure import Reading
from mlstep.monitoring.state import Alert, ModelState, keep_windows
from mlstep.platform import load
from mlstep.runner import records
from tests.unit.evidence.stages import AUTHOR, SIGNALS, raise_to_four
from tests.unit.evidence.world import World
from tests.unit.portal.reports import REPORTS

RUNS = ("01KH0000000000000000000001", "01KH0000000000000000000002", "01KH0000000000000000000003")
RETRAINED_BY = "retraining"
STATES = {"pass": "passed", "warn": "warned", "fail": "failed"}


def open_bank(world: World) -> list[str]:
    """Fill a world; returns the request_ids of its answers, the first one with a known outcome."""
    world.reports = dict(REPORTS)
    raise_to_four(world.root, 25100)
    first = world.promote(record_run(world, world.train(RUNS[0], 1)))
    old = [world.answer(first) for _ in range(3)]
    second = world.promote(record_run(world, world.train(RUNS[1], 2)))
    new = [world.answer(second, fallback=number == 2) for number in range(3)]
    world.learn(old[0], True)
    watch(world, second)
    record_run(world, world.train(RUNS[2], 3), author=RETRAINED_BY)
    return [*old, *new]


def record_run(world: World, folder: Path, author: str = AUTHOR, **changes: Any) -> Path:
    """Write `run.json` as the engine leaves it, from the results in a run's folder."""
    plan, steps = [], {}
    order = ["ingest", "validate", "pii", "split", "train", *REPORTS, "register", "gate"]
    for name in [name for name in dict.fromkeys(order) if (folder / name).is_dir()]:
        result = read_json(folder / name / "result.json")
        manifest = read_json(folder / name / sorted(result["outputs"])[0] / "manifest.json")
        inputs = {key: _source(folder, value) for key, value in manifest["inputs"].items()}
        planned: dict[str, Any] = {"name": name, "step": name, "inputs": inputs, "outputs": sorted(result["outputs"])}
        plan.append({**planned, "config": {}, "needs": [], "retries": 0, "on_fail": "stop", "uses": []})
        facts = {"attempts": 1, "seconds": 1.25, "reasons": result["reasons"], "peak_memory_mib": 80.0}
        steps[name] = {"state": STATES[result["decision"]], "decision": result["decision"], **facts}
        (folder / name / "log.txt").write_text(f"log of {name} <b>not bold</b>\n", encoding="utf-8")
    candidate = read_json(folder / "register" / "candidate" / "candidate.json")
    record: dict[str, Any] = {"run": folder.name, "pipeline": "credit", "author": author, "state": "passed"}
    record |= {
        "started": iso(world.clock - timedelta(minutes=9)),
        "ended": iso(world.clock),
        "reasons": [],
        "reason": "",
    }
    record |= {"candidate": {key: candidate[key] for key in ("model", "version", "digest")}, "model": "credit"}
    record |= {"parameters": {"source": "synthetic:credit"}, "files": {}, "plan": plan, "steps": steps}
    records.write_run(folder, {**record, **changes})
    return folder


def watch(world: World, champion: Entry) -> None:
    """Six closed windows in which income drifts away, an alert, and a retraining that followed."""
    rules = signals.load(SIGNALS)
    state = ModelState(model_digest=champion.model_digest)
    closed = [_window(world, champion, number) for number in range(6)]
    keep_windows(world.root, "credit", closed, 100)
    state.windows = {"predictions": closed[-5:], "outcomes": []}
    since = closed[-2]["begins"]
    state.alerts = {"feature_drift/income": Alert("feature_drift", "income", 0.5, "PSI 0.500", since, since)}
    moment = [Reading("model_age", "", 3.0, False, "champion since yesterday")]
    waiting = {"predictions": 7, "outcomes": 0}
    found = Round("credit", world.clock, champion, None, state, closed, waiting, moment, ended=[], latest={})
    publish.write(world.root, found, rules)
    labels = {"model": "credit", "signal": "feature_drift", "subject": "income", "severity": "warning"}
    labels |= {"owner": "a.lind@bank.example", "retrain": "true"}
    words = {"summary": "feature income of credit has moved", "description": "PSI 0.500", "since": since}
    alert = {"status": "firing", "labels": labels, "annotations": words, "startsAt": since, "fingerprint": "f1"}
    journal.append(world.root, journal.ALERTS, {**alert, "received": iso(world.clock)})
    decision = {"time": iso(world.clock), "model": "credit", "pipeline": "credit", "decision": "started", "reasons": []}
    more = {"run": RUNS[2], "by": "receiver", "manual": False, "reason": "income has moved", "promotion_blocked_by": []}
    journal.append(world.root, journal.RETRAINING, {**decision, **more})


def current(world: World) -> Entry:
    """The champion."""
    entry = history.current(load(world.root), "credit")
    assert entry is not None
    return entry


def _window(world: World, champion: Entry, number: int) -> dict[str, Any]:
    begins = world.tick(hours=2)
    drift = max(0.0, (number - 3) * 0.25)
    readings = [
        Reading("feature_drift", "income", drift, drift > 0.2, f"PSI {drift:.3f}"),
        Reading("feature_drift", "age", 0.01, False, "PSI 0.010"),
        Reading("score_drift", "", drift / 2, False, "PSI"),
        Reading("realised_performance", "", 0.01, False, "AUC 0.75 on 900 outcomes"),
        Reading("fairness", "age_band=18-25", 0.9, False, "ratio 0.9"),
    ]
    window = {"stream": "predictions", "model": "credit", "version": 2, "model_digest": champion.model_digest}
    ends = world.tick(hours=1)
    rows = {"last_request_id": "x", "rows": 1000, "closed": iso(ends)}
    return {**window, **rows, "begins": iso(begins), "ends": iso(ends), "readings": [one.as_json() for one in readings]}


def _source(folder: Path, described: dict[str, Any]) -> str:
    if "step" not in described:
        return str(described["uri"])
    uri = Path(described["uri"])
    return f"{uri.parent.name}:{uri.name}" if folder in uri.parents else str(uri)
