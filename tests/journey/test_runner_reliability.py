"""Killed, interrupted, out of disk, memory or time: nothing half-written, nothing orphaned, nothing lost."""

import os
import signal
from pathlib import Path

import pytest

from mlstep.runner.records import mark_vanished, read_run
from tests.unit.core.bench import Bench, wait_until


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty bench."""
    return Bench(tmp_path)


def is_gone(process: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


def started(bench: Bench) -> int:
    """The number of the waiting step's process, once it runs."""
    file = bench.folder / "started"
    wait_until(lambda: file.is_file() and bool(file.read_text(encoding="utf-8")))
    return int(file.read_text(encoding="utf-8"))


def waiting(bench: Bench, **more: object) -> dict[str, object]:
    """Configuration of a step that waits until the file `go` is there."""
    return {"started": str(bench.folder / "started"), "wait_for": str(bench.folder / "go"), **more}


def test_a_killed_step_is_retried(bench: Bench) -> None:
    """Kill -9 of a step's process is a crash, which is retried."""
    bench.define({"only": {"config": waiting(bench), "retries": 1}})
    process = bench.start()
    os.kill(started(bench), signal.SIGKILL)
    (bench.folder / "go").touch()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert "SIGKILL" in bench.events("step-retried")[0]["reasons"][0]


def test_a_killed_runner_takes_its_steps_along(bench: Bench) -> None:
    """Kill -9 of the runner ends its step, frees the lock, reads as crashed, and the run can be resumed."""
    bench.define({"first": {}, "second": {"in": {"data": "first.data"}, "config": waiting(bench)}})
    process = bench.start()
    step = started(bench)
    process.kill()
    process.communicate(timeout=60)
    wait_until(lambda: is_gone(step))
    assert bench.record["state"] == "running"
    assert read_run(bench.newest)["state"] == "crashed"
    assert not (bench.newest / "second" / "data").exists()
    (bench.folder / "go").touch()
    assert bench.resume().returncode == 0
    assert [event["step"] for event in bench.events("step-started")].count("first") == 1


def test_vanished_runs_are_marked(bench: Bench) -> None:
    """What says `running` without a process behind it is written as crashed, once."""
    bench.define({"only": {"config": waiting(bench)}})
    process = bench.start()
    started(bench)
    assert mark_vanished(bench.root) == []
    process.kill()
    process.communicate(timeout=60)
    assert mark_vanished(bench.root) == [bench.newest.name]
    assert mark_vanished(bench.root) == []
    assert bench.states() == {"only": "crashed"}


def test_an_interrupt_stops_and_can_be_resumed(bench: Bench) -> None:
    """Ctrl-C ends the step, marks the run stopped (130); --resume finishes it."""
    bench.define({"only": {"config": waiting(bench)}, "after": {"needs": ["only"]}})
    process = bench.start()
    step = started(bench)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert is_gone(step)
    assert bench.record["state"] == "stopped"
    assert bench.states() == {"only": "stopped", "after": "waiting"}
    (bench.folder / "go").touch()
    assert bench.resume().returncode == 0


def test_one_run_of_a_pipeline_at_a_time(bench: Bench) -> None:
    """The second run is told who holds the lock, and leaves nothing behind."""
    bench.define({"only": {"config": waiting(bench)}})
    process = bench.start()
    started(bench)
    second = bench.run()
    assert second.returncode == 75
    assert bench.newest.name in second.stderr
    assert "o.lind@demo.example" in second.stderr
    assert len(list((bench.root / "runs" / "demo").glob("*/"))) == 1
    (bench.folder / "go").touch()
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_full_disk_leaves_no_half_file(bench: Bench) -> None:
    """When an output cannot be written whole, nothing stands under its final name and the reason is told."""
    bench.define({"only": {"config": {"file_limit": 4096, "write_bytes": 100_000}, "retries": 0}})
    assert bench.run().returncode == 70
    step = bench.newest / "only"
    assert sorted(path.name for path in step.iterdir()) == ["config.json", "log.txt"]
    assert "exit code 74" in bench.record["reasons"][0]
    assert "free space" in bench.record["reasons"][0]


def test_memory_is_bounded(bench: Bench) -> None:
    """A step over its memory is ended and told so, and not tried again."""
    small = {"cpu": 1, "memory_gib": 0.1}
    bench.define({"only": {"config": {"memory_mib": 300}, "resources": small, "retries": 3}})
    assert bench.run().returncode == 70
    assert "102 MiB are allowed" in bench.record["reasons"][0]
    assert bench.record["steps"]["only"]["attempts"] == 1


def test_time_is_bounded(bench: Bench) -> None:
    """A step over its time is ended and told so."""
    bench.define({"only": {"config": waiting(bench), "timeout_seconds": 0.5, "retries": 0}})
    assert bench.run().returncode == 70
    assert "longer than 0.5 seconds" in bench.record["reasons"][0]
    assert is_gone(bench.events("step-started")[0]["pid"])
