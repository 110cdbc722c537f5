"""Prometheus' rule file says the same as the rule."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from mlstep import cli
from mlstep.monitoring.signals import Signals
from mlstep.platform import Platform


def render(facts: Platform, folder: Path) -> Path:
    """Render into a folder."""
    assert cli.main(["alerting", "--root", str(facts.root), "--render-rules", str(folder)]) == 0
    return folder / "strata.rules.yaml"


def test_each_signal_is_one_alert(facts: Platform, watched: Signals, tmp_path: Path) -> None:
    """Names, owner and thresholds are those of the file; the same input gives the same bytes."""
    file = render(facts, tmp_path / "a")
    rules = [rule for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
    assert {rule["alert"] for rule in rules} == {f"strata_{name}" for name in watched.signals}
    drift = next(rule for rule in rules if rule["alert"] == "strata_feature_drift")
    assert 'strata_feature_psi_red_windows{of="recent"} >= 2' in drift["expr"]
    assert drift["labels"]["owner"] == "owner@bank.example"
    assert render(facts, tmp_path / "b").read_bytes() == file.read_bytes()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on PATH (Debian: prometheus)")
def test_promtool_takes_the_file(facts: Platform, tmp_path: Path) -> None:
    """Prometheus' own tool finds nothing wrong."""
    subprocess.run(["promtool", "check", "rules", str(render(facts, tmp_path))], check=True)
