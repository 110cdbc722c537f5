"""A repository folder with one good record in it."""

from __future__ import annotations

from pathlib import Path

import pytest

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
