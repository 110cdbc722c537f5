"""A runner in a folder of its own, with a step that behaves as told."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

PROBE = Path(__file__).parent / "probe"


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition; fail when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come"
        time.sleep(0.02)


class Bench:
    """A folder with a pipeline definition and a root, and the commands on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.definition = folder / "pipeline.yaml"
        self.environment = {**os.environ, "PYTHONPATH": str(PROBE)}

    def define(self, steps: dict[str, Any], **top: Any) -> None:
        """Write a definition whose steps are probes unless they say otherwise."""
        content = {name: {"step": "probe", **step} for name, step in steps.items()}
        definition = {"pipeline_version": 1, "pipeline": "demo", **top, "steps": content}
        self.definition.write_text(yaml.safe_dump(definition, sort_keys=False), encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        """The command line of a run with short pauses."""
        prefix = [sys.executable, "-P", "-m", "mlstep.cli", "run", "--root", str(self.root), "--retry-pause", "0.01"]
        return [*prefix, "--author", "o.lind@demo.example", *arguments]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the pipeline to its end."""
        return subprocess.run(
            self.command(str(self.definition), *arguments),
            env=self.environment, capture_output=True, text=True, timeout=120, check=False, cwd=self.folder,
        )  # fmt: skip

    def resume(self) -> "subprocess.CompletedProcess[str]":
        """Resume the newest run to its end."""
        return subprocess.run(
            self.command("--resume", "last"),
            env=self.environment, capture_output=True, text=True, timeout=120, check=False, cwd=self.folder,
        )  # fmt: skip

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the pipeline and do not wait."""
        return subprocess.Popen(
            self.command(str(self.definition), *arguments),
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder,
        )  # fmt: skip

    @property
    def newest(self) -> Path:
        """The folder of the newest run."""
        return max((self.root / "runs" / "demo").glob("*/run.json")).parent

    @property
    def record(self) -> dict[str, Any]:
        """The newest run's record."""
        content: dict[str, Any] = json.loads((self.newest / "run.json").read_text(encoding="utf-8"))
        return content

    def states(self) -> dict[str, str]:
        """Each step's state in the newest run."""
        return {name: step["state"] for name, step in self.record["steps"].items()}

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The newest run's events of one type."""
        lines = (self.newest / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [event for event in map(json.loads, lines) if event["type"] == kind]


def count(bench: Bench) -> int:
    """How often the counting step was tried."""
    return int((bench.folder / "count").read_text(encoding="utf-8"))


def counting(bench: Bench, *codes: int) -> dict[str, object]:
    """Configuration of a step that counts its attempts and ends with these codes."""
    return {"attempts": list(codes), "counter": str(bench.folder / "count")}
