"""Killed at the worst moment: the service, MLflow, a second `up`, the whole machine. Nothing is lost or doubled."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from mlstep import predictions
from tests.journey.conftest import REPOSITORY, STACK, Workspace
from tests.journey.test_1_first_day import rows

REQUESTS = 600


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.2)


def healthy(workspace: Workspace, offset: int, path: str) -> bool:
    """Whether a process answers."""
    try:
        return httpx.get(workspace.url(offset, path), timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def kill(workspace: Workspace, name: str) -> list[int]:
    """Kill every process of a name the hard way."""
    numbers = workspace.processes()[name]
    for number in numbers:
        os.kill(number, signal.SIGKILL)
    return numbers


def test_no_answered_prediction_is_lost(workspace: Workspace) -> None:
    """Under load the service is killed: it comes back, and every request id that was answered is in the log."""
    answered: list[str] = []
    samples = rows(50)

    def ask() -> None:
        with httpx.Client(timeout=10) as client:
            for number in range(REQUESTS):
                try:
                    content = client.post(workspace.url(1, "/predict"), json=samples[number % 50]).json()
                except httpx.HTTPError:
                    time.sleep(0.05)
                    continue
                answered.append(content["request_id"])

    caller = threading.Thread(target=ask)
    caller.start()
    wait_for(lambda: len(answered) > 100, 60, "a hundred answers")
    killed = kill(workspace, "prediction")
    caller.join()
    wait_for(lambda: healthy(workspace, 1, "/ready"), 60, "the service is back")
    assert set(workspace.processes()["prediction"]).isdisjoint(killed)
    logged = set(predictions.scan(workspace.root, "credit")["request_id"].to_list())
    assert [request for request in answered if request not in logged] == []


def test_killed_mlflow_does_not_end_a_run(workspace: Workspace) -> None:
    """MLflow dies as registration starts: the step tries again, or fails clearly and the run can be resumed."""
    arguments = ["--root", str(workspace.root), "--author", "j.ek@demo.example", "--events"]
    source = ["--parameter", "source=synthetic:credit?rows=10000&seed=12"]
    command = [str(REPOSITORY / ".strata/envs/run-time/bin/mlstep"), "run", "credit", *arguments, *source]
    run = subprocess.Popen(command, env=workspace.environment(), stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    last = {}
    for line in run.stdout:
        event = json.loads(line)
        if event["type"] == "step-started" and event["step"] == "register":
            kill(workspace, "mlflow")
        last = event
    code = run.wait(timeout=600)
    if code not in {0, 1}:
        wait_for(lambda: healthy(workspace, 0, "/health"), 180, "MLflow is back")
        again = workspace.mlstep("run", "credit", *arguments, "--resume", str(last["run"]), check=False, timeout=600)
        code = again.returncode
    assert code in {0, 1}  # The gate decided, one way or the other.
    folder = workspace.root / "runs/credit" / str(last["run"])
    assert (folder / "register/candidate/candidate.json").is_file()
    assert (folder / "gate/evidence/evidence.json").is_file()


def test_second_up_says_who_holds_the_lock(workspace: Workspace) -> None:
    """Two at once: the second is told of the first and changes nothing; the first ends well."""
    command = [str(REPOSITORY / ".venv/bin/strata"), "up", "--stack", STACK, "--no-pipeline"]
    kill(workspace, "portal")  # Something to do, so that the first one holds the lock for a while.
    first = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=workspace.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    locks = workspace.folder / "state/.pulumi/locks"
    wait_for(lambda: any(locks.rglob("*.json")) or first.poll() is not None, 60, "the first holds the lock")
    second = workspace.strata("up", "--stack", STACK, "--no-pipeline", check=False)
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 0, output
    if second.returncode != 0:
        assert "lock" in second.stdout + second.stderr


def test_after_a_reboot_one_up_brings_all_back(workspace: Workspace) -> None:
    """Every process of the platform is gone: one `up`, and champion, data and log are as they were."""
    before = workspace.predict(rows(1)[0])
    for name in workspace.processes():
        for number in workspace.processes().get(name, []):
            os.kill(number, signal.SIGKILL)
    wait_for(lambda: workspace.processes() == {}, 60, "everything is gone")
    workspace.strata("up", "--stack", STACK)
    after = workspace.predict(rows(1)[0])
    assert after["model_digest"] == before["model_digest"]
    assert before["request_id"] in set(predictions.scan(workspace.root, "credit")["request_id"].to_list())
    names = {name for name, numbers in workspace.processes().items() if numbers}
    assert names >= {"mlflow", "prediction", "portal", "scheduler", "challenger", "receiver", "alerting", "features"}
