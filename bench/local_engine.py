"""What the local engine costs: ten steps that do nothing, one after the other, beside Metaflow's local runner.

    .strata/envs/dev/bin/python -m bench.local_engine [--repeats 5] [--alone] [--json]

Both run each step in a process of its own and keep a record of the run. Metaflow is installed into a cache folder of
its own the first time (`--alone` leaves it out). Runs alternate, so that both meet the same machine; the figures are
medians of wall seconds. The floor is ten starts of the bare interpreter.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

STEPS = 10
REQUIREMENT = "metaflow>=2.19,<3"
BAR_SECONDS = 1.0


def main() -> int:
    """Measure and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="runs of each (default 5)")
    parser.add_argument("--alone", action="store_true", help="without Metaflow, and so without a package index")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-engine-") as name:
        place = Path(name)
        contenders: dict[str, Callable[[], None]] = {"bare interpreter": floor, "strata": strata(place)}
        if not options.alone:
            contenders["metaflow"] = metaflow(place, install())
        figures = measure(contenders, options.repeats)
    print(json.dumps(figures, indent=2, sort_keys=True) if options.json else table(figures))
    return 0


def measure(contenders: dict[str, Callable[[], None]], repeats: int) -> dict[str, object]:
    """Wall seconds of each contender, all in turn, `repeats` times after one run that warms the caches."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(repeats + 1):
        for name, act in contenders.items():
            started = time.perf_counter()
            act()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return {
        "steps": STEPS,
        "repeats": repeats,
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "median_seconds": {name: round(statistics.median(values), 3) for name, values in seconds.items()},
        "fastest_seconds": {name: round(min(values), 3) for name, values in seconds.items()},
    }


def floor() -> None:
    """Ten starts of the interpreter."""
    for _ in range(STEPS):
        subprocess.run([sys.executable, "-c", "pass"], check=True)


def strata(place: Path) -> Callable[[], None]:
    """Ten no-op steps in a chain."""
    lines = ["pipeline_version: 1", "pipeline: noop", "steps:"]
    for number in range(STEPS):
        needs = f", needs: [s{number - 1}]" if number else ""
        lines.append(f"  s{number}: {{step: noop{needs}}}")
    definition = place / "pipeline.yaml"
    definition.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-P", "-m", "mlstep.cli", "run", str(definition), "--root", str(place / "root")]
    return lambda: run(command, dict(os.environ), place)


def metaflow(place: Path, python: Path) -> Callable[[], None]:
    """The same chain as a Metaflow flow; Metaflow demands the names of its first and last step."""
    names = ["start", *(f"s{number}" for number in range(1, STEPS - 1)), "end"]
    lines = ["from metaflow import FlowSpec, step", "", "class Noop(FlowSpec):"]
    for name, following in zip(names, [*names[1:], None], strict=True):
        body = f"self.next(self.{following})" if following else "pass"
        lines += ["    @step", f"    def {name}(self):", f"        {body}"]
    lines += ["", "if __name__ == '__main__':", "    Noop()"]
    flow = place / "noop_flow.py"
    flow.write_text("\n".join(lines) + "\n", encoding="utf-8")
    environment = {
        **os.environ,
        "METAFLOW_HOME": str(place / "metaflow"),
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(place / "metaflow"),
        "METAFLOW_USER": "bench",
    }
    return lambda: run([str(python), str(flow), "--quiet", "run"], environment, place)


def run(command: list[str], environment: dict[str, str], folder: Path) -> None:
    """Run to the end.

    Raises:
        RuntimeError: it did not succeed; holds what it said.
    """
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")


def install() -> Path:
    """An interpreter that has Metaflow, in the user's cache; made once per Python version."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "strata" / "bench" / f"metaflow-{platform.python_version()}"
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    print(f"installing {REQUIREMENT} into {folder}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    uv = shutil.which("uv")
    tool = [uv, "pip", "install", "-q", "--python", str(python)] if uv else [str(python), "-m", "pip", "install", "-q"]
    subprocess.run([*tool, REQUIREMENT], check=True)
    (folder / "complete").touch()
    return python


def table(figures: dict[str, object]) -> str:
    """The figures for people."""
    medians, fastest = figures["median_seconds"], figures["fastest_seconds"]
    assert isinstance(medians, dict)
    assert isinstance(fastest, dict)
    lines = [f"{STEPS} no-op steps, {figures['cores']} cores, load {figures['load']}, Python {figures['python']}"]
    lines += [f"  {name:<18} median {value:6.3f} s   fastest {fastest[name]:6.3f} s" for name, value in medians.items()]
    verdict = "met" if medians["strata"] <= BAR_SECONDS else "missed"
    return "\n".join([*lines, f"  bar: strata at most {BAR_SECONDS} s: {verdict}"])


if __name__ == "__main__":
    sys.exit(main())
