"""One real platform per session, brought up with the command a user types, with a record and a state of its own."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
STACK = "journey-dev"
ROWS = 40_000


@dataclass(frozen=True)
class Workspace:
    """A folder with a record and a state of its own, and the platform that record describes.

    Attributes:
        folder: holds `records/` and `state/`.
        root: the platform folder.
    """

    folder: Path
    root: Path
    port_base: int

    def strata(self, *arguments: str, timeout: float = 600, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the `strata` command; with `check`, a failure shows what it printed."""
        command = [str(REPOSITORY / ".venv/bin/strata"), *arguments]
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            pytest.fail(
                f"strata {' '.join(arguments)}: exit {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
            )
        return done

    def mlstep(self, *arguments: str, timeout: float = 300, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the run-time plane's command in its own environment."""
        command = [str(REPOSITORY / ".strata/envs/run-time/bin/mlstep"), *arguments]
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            pytest.fail(
                f"mlstep {' '.join(arguments)}: exit {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
            )
        return done

    def environment(self) -> dict[str, str]:
        """The caller's environment, led to this record and this state and to no other."""
        foreign = ("PULUMI_", "MLFLOW_", "STRATA_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        own = {"STRATA_RECORDS": str(self.folder / "records"), "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}"}
        return {**kept, **own, "NO_COLOR": "1"}

    def url(self, offset: int, path: str = "") -> str:
        """The address of a process, by its port offset."""
        return f"http://127.0.0.1:{self.port_base + offset}{path}"

    def predict(self, row: dict[str, Any]) -> dict[str, Any]:
        """One answer of the prediction service."""
        answer = httpx.post(self.url(1, "/predict"), json=row, timeout=30)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def stage(self, name: str) -> dict[str, Any]:
        """What the infrastructure plane told the run-time plane about a stage."""
        content: dict[str, Any] = json.loads((self.root / "platform" / f"{name}.json").read_text(encoding="utf-8"))
        return content

    def processes(self) -> dict[str, list[int]]:
        """Running processes of this platform by name, found by the mark in their environment."""
        return marked_processes(self.root)


def marked_processes(root: Path) -> dict[str, list[int]]:
    """Process numbers by name, for every process whose environment carries this root's mark."""
    found: dict[str, list[int]] = {}
    mark = f"STRATA_PROCESS={root}/".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # It ended, or belongs to somebody else.
            continue
        for variable in variables:
            if variable.startswith(mark):
                found.setdefault(variable[len(mark) :].decode(), []).append(int(folder.name))
    return found


def free_port_base(count: int = 10) -> int:
    """The first of `count` free ports in a row on loopback."""
    for base in range(26_000, 32_000, 20):
        sockets = []
        try:
            for port in range(base, base + count):
                listener = socket.socket()
                sockets.append(listener)
                listener.bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return base
        finally:
            for listener in sockets:
                listener.close()
    raise RuntimeError("no ten free ports in a row between 26000 and 32000")


def make_workspace(folder: Path, rows: int = ROWS, **changes: Any) -> Workspace:
    """The demo's record under another name, with its own ports, folder and number of rows; `changes` win."""
    workspace = Workspace(folder, folder / "data", free_port_base())
    record = yaml.safe_load((REPOSITORY / "stacks/workspaces/demo.yaml").read_text(encoding="utf-8"))
    record["workspace"] = "journey"
    record["data"][0]["source"] = f"synthetic:credit?rows={rows}&seed=7"
    settings = {"ports": {"base": workspace.port_base}, "data_dir": str(workspace.root)}
    record["environments"] = {"dev": {"local": settings}}
    record["retraining"] = {"cool_down_hours": 1, "maximum_runs_per_week": 10}
    record.update(changes)
    for name in ("records", "state"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "records" / "journey.yaml").write_text(yaml.safe_dump(record, sort_keys=False), encoding="utf-8")
    return workspace


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A short path: a unix socket's path has at most about 100 bytes."""
    made = Path(tempfile.mkdtemp(prefix="strata-"))
    yield made
    subprocess.run(["chmod", "-R", "u+rwX", str(made)], check=True)
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def empty_workspace(folder: Path) -> Iterator[Workspace]:
    """A workspace that is not up yet; whatever a test leaves running is taken down at the end."""
    workspace = make_workspace(folder)
    yield workspace
    down = workspace.strata("down", "--stack", STACK, "--purge", "--yes", check=False)
    left = marked_processes(workspace.root)
    for numbers in left.values():
        for number in numbers:
            os.kill(number, 9)
    assert down.returncode == 0, down.stdout + down.stderr
    assert left == {}


@pytest.fixture(scope="session")
def first_up(empty_workspace: Workspace) -> subprocess.CompletedProcess[str]:
    """What the first `strata up` printed."""
    return empty_workspace.strata("up", "--stack", STACK, timeout=900)


@pytest.fixture(scope="session")
def workspace(empty_workspace: Workspace, first_up: subprocess.CompletedProcess[str]) -> Workspace:
    """A workspace that is up, with a champion."""
    assert "journey" in first_up.stdout
    return empty_workspace
