"""Long work with one line that moves on a terminal, and one line at the end everywhere."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_TAIL_LINES = 15
_REDRAW_SECONDS = 0.5


def line(what: str, detail: str, seconds: float) -> str:
    """One finished piece of work, in columns."""
    return f" ✓ {what:<24} {detail:<48} {seconds:6.1f} s"


def run(
    command: Sequence[str],
    what: str,
    environment: Mapping[str, str],
    *,
    folder: Path | None = None,
    detail: Callable[[str], str] | None = None,
    tail_lines: int = _TAIL_LINES,
) -> tuple[int, str]:
    """Run a command quietly; return its exit code and the last lines of what it printed.

    On a terminal a line shows the seconds so far and `detail` of the output so far.

    Raises:
        OSError: the command could not be started.
    """
    started = time.monotonic()
    with tempfile.NamedTemporaryFile(prefix="strata-", suffix=".log") as output:
        log = Path(output.name)
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while not _finished(child):
                shown = detail(_text(log)) if detail else ""
                redraw(f" … {what:<24} {shown:<48} {time.monotonic() - started:6.0f} s")
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
            redraw("")
        return child.returncode, "\n".join(_text(log).splitlines()[-tail_lines:])


def _finished(child: subprocess.Popen[bytes]) -> bool:
    try:
        child.wait(_REDRAW_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def redraw(text: str) -> None:
    """Show a line that the next one replaces; nothing where the output is not a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
