"""Runs the test tiers and ends with one table.

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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

TIERS = ("unit", "contract", "policy", "schema", "docs", "engine", "journey")
# Their tests share nothing but the processor, so they run side by side, and heavy imports are paid for once.
# Each file stays with one process, so that its fixtures are made once.
TOGETHER = ("unit", "contract", "policy", "schema", "docs")
_MOST_PROCESSES = 8
_FAILED_TESTS = 1  # pytest's exit code for "everything ran, something failed"
_NO_TESTS = 5  # and for "nothing collected"


@dataclass(frozen=True)
class Outcome:
    """What one tier came to; counts are of test cases, `seconds` are those of its cases, added up."""

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


def run(root: Path, tiers: Sequence[str], more: Sequence[str] = ()) -> list[Outcome]:
    """Run these tiers in one go with the `dev` environment."""
    print(f"\n── {', '.join(tiers)} {'─' * (76 - len(', '.join(tiers)))}", flush=True)
    with tempfile.TemporaryDirectory(prefix="strata-tiers-") as temporary:
        report = Path(temporary) / "report.xml"
        command = [
            str(root / ".strata/envs/dev/bin/python"),
            "-m",
            "pytest",
            f"--junitxml={report}",
            *_parallel(tiers),
            *(str(root / "tests" / tier) for tier in tiers),
            *more,
        ]
        exit_code = subprocess.run(command, cwd=root, env=_environment(), check=False).returncode
        cases = list(_cases(report))
    return [_outcome(tier, cases, exit_code) for tier in tiers]


def has_tests(root: Path, tier: str) -> bool:
    """Whether there is a test in the tier's folder."""
    return any((root / "tests" / tier).rglob("test_*.py"))


def _environment() -> dict[str, str]:
    """The caller's, but bytecode is kept: tests start many short processes, and each would compile the same again."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def _parallel(tiers: Sequence[str]) -> list[str]:
    processors = os.cpu_count() or 1
    if processors == 1 or not set(tiers) <= set(TOGETHER):
        return []
    return [f"--numprocesses={min(processors, _MOST_PROCESSES)}", "--dist=loadfile"]


@dataclass(frozen=True)
class _Case:
    name: str
    state: str
    seconds: float


def _cases(report: Path) -> Iterator[_Case]:
    """The cases of a JUnit report; a process that died wrote none."""
    if not report.is_file():
        return
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        found = {part.tag for part in case}
        state = "failed" if found & {"failure", "error"} else "skipped" if "skipped" in found else "passed"
        yield _Case(f"{case.get('classname')}.{case.get('name')}".lstrip("."), state, float(case.get("time", 0)))


def _outcome(tier: str, cases: Sequence[_Case], exit_code: int) -> Outcome:
    own = [case for case in cases if case.name.startswith(f"tests.{tier}.")]
    passed, failed, skipped = (sum(case.state == state for case in own) for state in ("passed", "failed", "skipped"))
    # A failure elsewhere in the same run is not this tier's; a run that broke off is everybody's.
    elsewhere = exit_code == _FAILED_TESTS and not failed and len(own) < len(cases)
    return Outcome(tier, passed, failed, skipped, sum(case.seconds for case in own), 0 if elsewhere else exit_code)


def table(outcomes: Sequence[Outcome], empty: Sequence[str], seconds: float) -> str:
    """The summary, one line a tier; `seconds` are those of everything, by the clock."""
    lines = [f"\n{'tier':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    for item in outcomes:
        note = "" if item.is_good or item.failed else f"   pytest ended with exit code {item.exit_code}"
        lines.append(f"{item.tier:<12}{item.passed:>8}{item.failed:>8}{item.skipped:>9}{item.seconds:>9.1f}{note}")
    total = (sum(item.passed for item in outcomes), sum(item.failed for item in outcomes))
    skipped = sum(item.skipped for item in outcomes)
    lines.append(f"{'all':<12}{total[0]:>8}{total[1]:>8}{skipped:>9}{seconds:>9.1f}   by the clock")
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
    chosen = list(given.tiers or TIERS)
    empty = [tier for tier in chosen if not has_tests(given.root, tier)]
    started = time.monotonic()
    outcomes: list[Outcome] = []
    for _, group in groupby((tier for tier in chosen if tier not in empty), lambda tier: tier in TOGETHER or tier):
        outcomes.extend(run(given.root, list(group), more))
    print(table(outcomes, empty, time.monotonic() - started), flush=True)
    return 0 if outcomes and all(item.is_good for item in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
