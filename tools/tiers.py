"""Runs the test tiers one after the other and ends with one table.

python3 -m tools.tiers unit contract            the named ones
python3 -m tools.tiers                          all, in order
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

TIERS = ("unit", "contract", "policy", "schema", "docs", "engine", "journey")
# Their tests share nothing but the processor; each file stays with one process, so that its fixtures are made once.
PARALLEL = ("unit",)
_MOST_PROCESSES = 8
_NO_TESTS = 5  # pytest's exit code for "nothing collected"


@dataclass(frozen=True)
class Outcome:
    """What one tier came to; counts are of test cases, `seconds` of the whole process."""

    tier: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    exit_code: int

    @property
    def is_good(self) -> bool:
        """Whether nothing failed, and the tier ended by itself."""
        return self.failed == 0 and self.exit_code in (0, _NO_TESTS)


def run(root: Path, tier: str, more: Sequence[str] = ()) -> Outcome | None:
    """Run one tier with the `dev` environment; None when there are no tests in its folder."""
    folder = root / "tests" / tier
    if not any(folder.rglob("test_*.py")):
        return None
    print(f"\n── {tier} {'─' * (76 - len(tier))}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="strata-tiers-") as temporary:
        report = Path(temporary) / "report.xml"
        command = [
            str(root / ".strata/envs/dev/bin/python"),
            "-m",
            "pytest",
            f"--junitxml={report}",
            *_parallel(tier),
            str(folder),
            *more,
        ]
        exit_code = subprocess.run(command, cwd=root, check=False).returncode
        passed, failed, skipped = _counts(report)
    return Outcome(tier, passed, failed, skipped, time.monotonic() - started, exit_code)


def _parallel(tier: str) -> list[str]:
    processors = os.cpu_count() or 1
    if tier not in PARALLEL or processors == 1:
        return []
    return [f"--numprocesses={min(processors, _MOST_PROCESSES)}", "--dist=loadfile"]


def _counts(report: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped cases of a JUnit report; a process that died wrote none."""
    if not report.is_file():
        return 0, 0, 0
    suites = ET.parse(report).getroot().iter("testsuite")  # noqa: S314 - pytest wrote it a moment ago
    total = failed = skipped = 0
    for suite in suites:
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return total - failed - skipped, failed, skipped


def table(outcomes: Sequence[Outcome], empty: Sequence[str]) -> str:
    """The summary, one line a tier."""
    lines = [f"\n{'tier':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    for item in outcomes:
        note = "" if item.is_good or item.failed else f"   pytest ended with exit code {item.exit_code}"
        lines.append(f"{item.tier:<12}{item.passed:>8}{item.failed:>8}{item.skipped:>9}{item.seconds:>9.1f}{note}")
    total = (sum(item.passed for item in outcomes), sum(item.failed for item in outcomes))
    skipped = sum(item.skipped for item in outcomes)
    lines.append(f"{'all':<12}{total[0]:>8}{total[1]:>8}{skipped:>9}{sum(item.seconds for item in outcomes):>9.1f}")
    if empty:
        lines.append(f"no tests yet: {', '.join(empty)}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; see the module's docstring. More arguments for pytest come from PYTEST_ARGS."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.tiers", description=__doc__)
    parser.add_argument("tiers", nargs="*", metavar="TIER", help=f"one of {', '.join(TIERS)}")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    given = parser.parse_args(arguments)
    unknown = [tier for tier in given.tiers if tier not in TIERS]
    if unknown:
        parser.error(f"unknown tier: {', '.join(unknown)}; choose from {', '.join(TIERS)}")
    more = shlex.split(os.environ.get("PYTEST_ARGS", ""))
    outcomes, empty = [], []
    for tier in given.tiers or TIERS:
        outcome = run(given.root, tier, more)
        if outcome is None:
            empty.append(tier)
        else:
            outcomes.append(outcome)
    print(table(outcomes, empty), flush=True)
    return 0 if outcomes and all(item.is_good for item in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
