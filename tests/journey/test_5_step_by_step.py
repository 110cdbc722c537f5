"""A team starts small: stage one trains and serves, and each step up only adds to what is there."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.conftest import STACK, Workspace, make_workspace, marked_processes
from tests.journey.test_1_first_day import rows

ROWS = 10_000


@pytest.fixture(scope="module")
def small() -> Iterator[Workspace]:
    """A workspace of stage one, up, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="strata-"))
    workspace = make_workspace(folder, ROWS, stage=1)
    try:
        workspace.strata("up", "--stack", STACK, timeout=900)
        yield workspace
    finally:
        down = workspace.strata("down", "--stack", STACK, "--purge", "--yes", check=False)
        for numbers in marked_processes(workspace.root).values():
            for number in numbers:
                os.kill(number, 9)
        subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=True)
        shutil.rmtree(folder)
    assert down.returncode == 0, down.stdout + down.stderr


def set_stage(workspace: Workspace, stage: int) -> None:
    """Change one word of the record."""
    file = workspace.folder / "records" / "journey.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    changed = [f"stage: {stage}" if line.startswith("stage:") else line for line in lines]
    file.write_text("\n".join(changed) + "\n", encoding="utf-8")


def test_stage_one_has_a_champion_and_only_its_own_processes(small: Workspace) -> None:
    """Training ran as a job, the model answers, and no later stage's process is there."""
    assert small.predict(rows(1)[0])["fallback"] is False
    names = set(small.processes())
    assert {"mlflow", "prediction", "portal"} <= names
    assert names.isdisjoint({"scheduler", "challenger", "receiver", "alerting", "features"})


@pytest.mark.parametrize("stage", [2, 3, 4])
def test_a_step_up_only_adds(small: Workspace, stage: int) -> None:
    """The preview of any later stage adds, and changes, replaces and deletes nothing."""
    set_stage(small, stage)
    plan = json.loads(small.strata("preview", "--stack", STACK, "--json").stdout)
    assert plan["add"] > 0
    assert (plan["change"], plan["replace"], plan["delete"]) == (0, 0, 0)


def test_the_step_itself_keeps_what_is_there(small: Workspace) -> None:
    """After `up` at stage two the former processes still run, and the champion still answers."""
    before, champion = small.processes(), small.predict(rows(1)[0])["model_digest"]
    set_stage(small, 2)
    small.strata("up", "--stack", STACK, timeout=600)
    after = small.processes()
    assert {name: after[name] for name in before} == before
    assert "scheduler" in after
    assert small.predict(rows(1)[0])["model_digest"] == champion


def test_a_step_down_is_refused(small: Workspace) -> None:
    """Giving a stage up would delete what it holds: refused, with what would be lost."""
    set_stage(small, 1)
    done = small.strata("up", "--stack", STACK, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert "scheduler" in small.processes()
