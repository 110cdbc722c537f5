"""A repository folder with one good record in it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.machine import port_problems
from stacks.commands import main
from tests.unit.stacks.engine_answers import REPORT
from tests.unit.stacks.fakes import FakeProgram, answer, make

# Not the committed demo.yaml: tests name lines, and a comment more there must not fail them.
GOOD = """\
# yaml-language-server: $schema=../record.schema.json
# A good record.
workspace: demo
target: local
stage: 4


use_case:
  id: credit-scoring
  purpose: Estimate the probability that a consumer credit is not repaid.
  risk_class: high
  owner: o.lind@demo.example
  deputy: d.berg@demo.example
  risk_approver: r.holm@demo.example



signers:
  - name: r.holm@demo.example
    role: risk
    key: demo

data:
  - name: applications
    contract: pipelines/credit/applications.odcs.yaml
    source: "synthetic:credit?rows=100000&seed=7"
    owner: p.ek@demo.example
    freshness_hours: 24

pipelines:
  - name: credit
    definition: pipelines/credit/pipeline.yaml
    schedule: "0 6 * * *"
    approval_gate: risk

monitoring:
  log_retention_days: 365
  interval_seconds: 15
  alert_route: owner
retraining:
  cool_down_hours: 24
  maximum_runs_per_week: 3

environments:
  dev:
    local:
      ports: {base: 25100}
      data_dir: null
      tracking_database: sqlite
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the demo record and the files it points to."""
    for name in ("applications.odcs.yaml", "pipeline.yaml"):
        path = tmp_path / "pipelines" / "credit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("name: applications\n", encoding="utf-8")
    workspaces = tmp_path / "stacks" / "workspaces"
    workspaces.mkdir(parents=True)
    (workspaces / "demo.yaml").write_text(GOOD, encoding="utf-8")
    return tmp_path


@pytest.fixture
def record_file(repository: Path) -> Path:
    """The demo record in that repository."""
    return repository / "stacks" / "workspaces" / "demo.yaml"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON object it must be."""
        return json.loads(self.out)


Strata = Callable[..., Ended]


@pytest.fixture
def workplace(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The repository that commands work on, with a home folder of its own; gives the platform folder's place."""
    monkeypatch.setattr("stacks.record.REPOSITORY", repository)
    monkeypatch.setenv("NO_COLOR", "1")
    for name in [name for name in os.environ if name.startswith(("PULUMI", "XDG", "STRATA"))]:
        monkeypatch.delenv(name)
    # Short: the path of a unix socket is limited, and pytest's own folders are long.
    with tempfile.TemporaryDirectory(prefix="strata-") as home:
        monkeypatch.setenv("HOME", home)
        yield Path(home) / ".local" / "share" / "strata" / "demo-dev"


@pytest.fixture
def platform(workplace: Path) -> Path:
    """A platform folder as `strata up` leaves it, without processes."""
    signer = {"name": "r.holm@demo.example", "role": "risk", "demo": True}
    files: dict[str, dict[str, Any]] = {
        "foundation": {"signers": [signer]},
        "registry": {
            "tracking_uri": "http://127.0.0.1:1",
            "portal_uri": "http://127.0.0.1:2",
            "prediction_service": "x",
        },
        "pipelines": {},
        "monitoring": {},
        "feature_store": {"feature_server": "http://127.0.0.1:9"},
    }
    (workplace / "platform").mkdir(parents=True)
    for stage, content in files.items():
        (workplace / "platform" / f"{stage}.json").write_text(json.dumps(content), encoding="utf-8")
    return workplace


@pytest.fixture
def mlstep(workplace: Path, repository: Path, tmp_path: Path) -> FakeProgram:
    """A fake of the run-time plane's command."""
    return make(repository / ".strata" / "envs" / "run-time" / "bin" / "mlstep", tmp_path / "fake-mlstep")


@pytest.fixture
def pulumi(workplace: Path, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    """A fake of the Pulumi CLI, first on PATH, with a language host beside it."""
    program = make(tmp_path / "bin" / "pulumi", tmp_path / "fake-pulumi")
    (program.path.parent / "pulumi-language-python").write_text("", encoding="utf-8")
    (program.path.parent / "pulumi-language-python").chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.path.parent}:{os.environ['PATH']}")
    (repository / "Pulumi.yaml").write_text("name: strata\nruntime: python\n", encoding="utf-8")
    return program


@pytest.fixture
def strata(capfd: pytest.CaptureFixture[str]) -> Strata:
    """Runs one `strata` command as the console script does."""

    def run(*arguments: str) -> Ended:
        capfd.readouterr()
        code = main.run(list(arguments))
        written = capfd.readouterr()
        return Ended(code, written.out, written.err)

    return run


@pytest.fixture
def free_ports(record_file: Path) -> int:
    """A record whose ports nobody holds; below those the system gives to clients, so that none is taken meanwhile."""
    base = next(base for base in range(20_000, 25_000, 10) if not port_problems("/none", range(base, base + 10)))
    record_file.write_text(GOOD.replace("25100", str(base)), encoding="utf-8")
    return base


@pytest.fixture
def pack(repository: Path, tmp_path: Path) -> FakeProgram:
    """A policy pack whose judge is a fake: an environment that somebody linked."""
    python = make(tmp_path / "policy-env" / "bin" / "python", tmp_path / "fake-pack")
    python.answers(answer("policies.reports", json_output=REPORT))
    (repository / "policies").mkdir()
    (repository / "policies" / ".venv").symlink_to(tmp_path / "policy-env")
    return python
