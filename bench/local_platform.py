"""What the local platform costs: first and second `strata up`, the reference pipeline, and memory at rest.

Run: `.strata/envs/dev/bin/python -m bench.local_platform [--rows 100000]`. Works with a record,
ports, a state and a data folder of its own, and takes everything down again. Environments and Pulumi must be there
(`make environments`).
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tests.journey import conftest as journey

SETTLE_SECONDS = 20


def main() -> None:
    """Measure and print one JSON object: seconds and MiB."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the synthetic data set")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="strata-bench-"))
    workspace = journey.make_workspace(folder, options.rows)
    root = workspace.root
    try:
        figures: dict[str, object] = {"rows": options.rows}
        figures["first_up_seconds"] = seconds(lambda: workspace.strata("up", "--stack", journey.STACK, timeout=1200))
        figures["pipeline_seconds"] = pipeline_seconds(root)
        figures["second_up_seconds"] = seconds(lambda: workspace.strata("up", "--stack", journey.STACK))
        time.sleep(SETTLE_SECONDS)  # The services are idle once the first run's caches are written.
        figures["memory_mib"] = memory(root)
        figures["memory_total_mib"] = round(sum(memory(root).values()), 1)
        figures["down_seconds"] = seconds(
            lambda: workspace.strata("down", "--stack", journey.STACK, "--purge", "--yes")
        )
        print(json.dumps(figures, indent=2))
    finally:
        workspace.strata("down", "--stack", journey.STACK, check=False)
        subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=True)
        shutil.rmtree(folder)


def seconds(act: Callable[[], object]) -> float:
    """Wall time of an act."""
    started = time.perf_counter()
    act()
    return round(time.perf_counter() - started, 1)


def pipeline_seconds(root: Path) -> dict[str, float]:
    """Wall time of the run and of each step, from its events."""
    events = [
        json.loads(line)
        for path in sorted(root.glob("runs/*/*/events.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    steps = {event["step"]: float(event["seconds"]) for event in events if event["type"] == "step-finished"}
    begin, end = (
        datetime.fromisoformat(next(e["time"] for e in events if e["type"] == kind))
        for kind in ("run-started", "run-finished")
    )
    return {**steps, "whole run": round((end - begin).total_seconds(), 1)}


def memory(root: Path) -> dict[str, float]:
    """Proportional set size in MiB by process name, supervisor included."""
    found = {}
    for name, numbers in journey.marked_processes(root).items():
        found[name] = round(sum(map(proportional_set_size, numbers)) / 1024, 1)
    return dict(sorted(found.items()))


def proportional_set_size(process: int) -> int:
    """PSS in KiB: shared pages are divided among those who share them."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
