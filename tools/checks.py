"""Everything that `make check` asks of the sources; all of it runs, then one table says what failed.

python3 -m tools.checks
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# What is checked for style, and what is checked for types; the five packages of the run-time plane by their own roots.
STYLE = ("__main__.py", "stacks", "components", "policies", "tools", "pipelines", "tests", "bench")
TYPES = (
    "stacks",
    "components",
    "policies",
    "tools",
    "pipelines/core",
    "pipelines/train",
    "pipelines/serve",
    "pipelines/promote",
    "pipelines/features",
)


@dataclass(frozen=True)
class Check:
    """One command; `remedy` is what helps when it fails, beyond what it says itself."""

    name: str
    command: Sequence[str]
    remedy: str = ""


def checks(root: Path) -> list[Check]:
    """The checks of the repository at `root`."""
    dev = root / ".strata/envs/dev/bin"
    python = str(dev / "python")
    return [
        Check("style", [str(dev / "ruff"), "check", "--quiet", *_there(root, STYLE)], "make format mends some of it"),
        Check("format", [str(dev / "ruff"), "format", "--check", "--quiet", *_there(root, STYLE)], "make format"),
        Check("types", [str(dev / "mypy"), "--no-error-summary", *_with_sources(root, TYPES)]),
        Check("imports", [str(dev / "lint-imports"), "--no-logo"], "docs/architecture.md, section 1"),
        Check("lock files", [python, "-m", "tools.environments", "check"], "make lock"),
        Check("schema", [python, "-m", "stacks.record", "--check-schema"], "make docs"),
        Check(
            "control pages", [str(root / "policies/.venv/bin/python"), "-m", "policies.docs", "--check"], "make docs"
        ),
    ]


def run(root: Path, check: Check) -> bool:
    """Run one check and say how it went; its output is shown only when it failed."""
    started = time.monotonic()
    done = subprocess.run(check.command, cwd=root, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    is_good = done.returncode == 0
    print(f" {'✓' if is_good else '✗'} {check.name:<14}{seconds:6.1f} s", flush=True)
    if not is_good:
        print((done.stdout + done.stderr).strip())
        if check.remedy:
            print(f"   remedy: {check.remedy}", flush=True)
    return is_good


def _there(root: Path, paths: Sequence[str]) -> list[str]:
    return [path for path in paths if (root / path).exists()]


def _with_sources(root: Path, paths: Sequence[str]) -> list[str]:
    # mypy refuses a folder without sources.
    return [path for path in paths if any((root / path).rglob("*.py"))]


def main() -> int:
    """Run all checks; the exit code says whether all were good."""
    root = Path(__file__).resolve().parent.parent
    failed = [check.name for check in checks(root) if not run(root, check)]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
