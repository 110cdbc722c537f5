"""What crashes is tried again, what is wrong is not."""

import pytest

from tests.unit.core.bench import Bench, count, counting


def test_a_crash_is_retried(bench: Bench) -> None:
    """A step that crashes twice and has two retries passes; the pauses grow."""
    bench.define({"only": {"config": counting(bench, 1, 75), "retries": 2}})
    assert bench.run().returncode == 0
    assert count(bench) == 3
    pauses = [event["pause_seconds"] for event in bench.events("step-retried")]
    assert pauses == [0.01, 0.02]
    assert bench.record["steps"]["only"]["attempts"] == 3


@pytest.mark.parametrize("code", [2, 3, 4])
def test_what_cannot_end_otherwise_is_not_retried(bench: Bench, code: int) -> None:
    """Wrong configuration, changed bytes and refusals are tried once."""
    bench.define({"only": {"config": counting(bench, code, code), "retries": 3}})
    assert bench.run().returncode == 70
    assert count(bench) == 1


def test_wrong_configuration_is_told_in_full(bench: Bench) -> None:
    """The step's own message is the run's reason."""
    bench.define({"only": {"config": {"text": "a", "txet": 1, "decision": "maybe"}}})
    done = bench.run()
    assert done.returncode == 70
    reason = bench.record["reasons"][0]
    assert "txet" in reason
    assert "decision" in reason
    assert "known keys" in reason
    assert bench.record["steps"]["only"]["attempts"] == 1


def test_retries_end(bench: Bench) -> None:
    """When the retries are used up, the run has crashed and says with which code and where the log is."""
    bench.define({"only": {"config": counting(bench, 9, 9, 9), "retries": 1}, "after": {"needs": ["only"]}})
    assert bench.run().returncode == 70
    assert count(bench) == 2
    assert bench.states() == {"only": "crashed", "after": "waiting"}
    assert "exit code 9" in bench.record["reasons"][0]
    assert "log.txt" in bench.record["reasons"][0]
