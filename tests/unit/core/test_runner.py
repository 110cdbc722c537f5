"""The engine runs what it should, in the order it should, and records it."""

import json

from tests.unit.core.bench import Bench


def test_steps_follow_their_inputs(bench: Bench) -> None:
    """A step starts after those whose outputs it reads; the run's record, events and outputs are all there."""
    bench.define({"second": {"in": {"data": "first.data"}}, "first": {"config": {"text": "one"}}})
    done = bench.run("--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "passed"
    assert [event["step"] for event in bench.events("step-started")] == ["first", "second"]
    first = json.loads((bench.newest / "first" / "result.json").read_text(encoding="utf-8"))
    second = json.loads((bench.newest / "second" / "data" / "manifest.json").read_text(encoding="utf-8"))
    assert second["inputs"]["data"]["digest"] == first["outputs"]["data"]
    assert (bench.record["author"], bench.record["state"]) == ("o.lind@demo.example", "passed")
    assert "said something" in (bench.newest / "first" / "log.txt").read_text(encoding="utf-8")


def test_events_are_streamed_as_json_lines(bench: Bench) -> None:
    """With --events, standard output holds the same events as events.jsonl, progress among them."""
    bench.define({"only": {}})
    streamed = [json.loads(line) for line in bench.run("--events").stdout.splitlines()]
    stored = [json.loads(line) for line in (bench.newest / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert streamed == stored
    assert [event["type"] for event in streamed] == [
        "run-started", "step-started", "step-progress", "step-finished", "run-finished",
    ]  # fmt: skip
    progress, finished = streamed[2], streamed[4]
    assert (progress["done"], progress["total"], progress["label"]) == (1, 2, "half")
    assert finished["state"] == "passed"


def test_a_fail_stops_the_run(bench: Bench) -> None:
    """A decision `fail` is exit code 1, with its reason, and nothing after it starts."""
    bench.define({"judge": {"config": {"decision": "fail"}}, "after": {"needs": ["judge"]}})
    done = bench.run()
    assert done.returncode == 1
    assert "as told" in done.stdout
    assert bench.states() == {"judge": "failed", "after": "waiting"}
    assert bench.record["reasons"] == ["judge: as told"]


def test_a_verdict_can_be_left_to_a_later_step(bench: Bench) -> None:
    """With `on_fail: continue` the reader of the output decides; without any reader the fail counts."""
    judge = {"config": {"decision": "fail"}, "on_fail": "continue"}
    bench.define({"judge": judge, "gate": {"in": {"data": "judge.data"}}})
    assert bench.run().returncode == 0
    assert bench.states() == {"judge": "failed", "gate": "passed"}
    bench.define({"judge": judge, "other": {}})
    assert bench.run().returncode == 1
    assert bench.states() == {"judge": "failed", "other": "passed"}


def test_until_runs_what_a_step_needs(bench: Bench) -> None:
    """--until leaves out what the step does not need."""
    bench.define(
        {"first": {}, "second": {"in": {"data": "first.data"}}, "third": {"in": {"data": "second.data"}}, "aside": {}}
    )
    assert bench.run("--until", "second").returncode == 0
    assert bench.states() == {"first": "passed", "second": "passed"}


def test_independent_steps_run_side_by_side(bench: Bench) -> None:
    """Two steps that do not need each other run at once: each waits for a file that the other writes at its start."""
    half = {"cpu": 0.5, "memory_gib": 1}
    files = {name: str(bench.folder / f"{name}.started") for name in ("left", "right")}
    left = {"config": {"started": files["left"], "wait_for": files["right"]}, "resources": half}
    right = {"config": {"started": files["right"], "wait_for": files["left"]}, "resources": half}
    bench.define({"left": left, "right": right})
    assert bench.run().returncode == 0


def test_cores_bound_what_runs_at_once(bench: Bench) -> None:
    """Steps that each want every core run one after the other."""
    wide = {"resources": {"cpu": 1000, "memory_gib": 1}}
    bench.define({"one": wide, "two": wide})
    assert bench.run().returncode == 0
    order = [json.loads(line) for line in (bench.newest / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    kinds = [
        (event["type"], event.get("step")) for event in order if event["type"] in ("step-started", "step-finished")
    ]
    assert kinds == [
        ("step-started", "one"),
        ("step-finished", "one"),
        ("step-started", "two"),
        ("step-finished", "two"),
    ]


def test_threads_follow_resources(bench: Bench) -> None:
    """A step's numeric libraries are told its cores, and the order of sets is fixed."""
    names = ["OMP_NUM_THREADS", "POLARS_MAX_THREADS", "PYTHONHASHSEED"]
    bench.define({"only": {"config": {"environment": names}, "resources": {"cpu": 1, "memory_gib": 1}}})
    assert bench.run().returncode == 0
    found = json.loads((bench.newest / "only" / "data" / "environment.json").read_text(encoding="utf-8"))
    assert found == {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "PYTHONHASHSEED": "0"}


def test_a_reader_that_goes_away_does_not_end_the_run(bench: Bench) -> None:
    """When nobody reads the events any more, the run goes on to its end."""
    gate = bench.folder / "go"
    bench.define({"first": {"config": {"wait_for": str(gate)}}, "second": {"in": {"data": "first.data"}}})
    process = bench.start("--events")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["type"] == "run-started"
    process.stdout.close()
    gate.touch()
    assert process.wait(60) == 0
    assert bench.record["state"] == "passed"
    if process.stderr is not None:
        process.stderr.close()
