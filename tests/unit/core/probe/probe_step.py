"""A step that behaves as its configuration says, so that the engine can be seen under every behaviour."""

import os
import resource
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from mlstep.errors import UnavailableError
from mlstep.step import Context, StepResult


@dataclass(frozen=True)
class ProbeConfig:
    """What to do.

    Attributes:
        attempts: exit code of the first, second … attempt; later ones go on; counted in `counter`.
        wait_for: a file whose appearance is waited for.
        started: a file written at the start, holding the process's number.
        environment: names of variables whose values go into the output.
        file_limit: largest file the process may write, in bytes.
        serve_url: a service that must answer.
    """

    text: str = "rows"
    decision: Literal["pass", "warn", "fail"] = "pass"
    attempts: list[int] = field(default_factory=list)
    counter: str = ""
    wait_for: str = ""
    started: str = ""
    environment: list[str] = field(default_factory=list)
    file_limit: int = 0
    write_bytes: int = 0
    memory_mib: int = 0
    serve_url: str = ""


class Probe:
    """Do what the configuration says."""

    name: ClassVar[str] = "probe"
    config_type: ClassVar[type] = ProbeConfig
    inputs: ClassVar[tuple[str, ...]] = ()
    optional_inputs: ClassVar[tuple[str, ...]] = ("data", "champion")
    outputs: ClassVar[tuple[str, ...]] = ("data",)

    def run(self, ctx: Context[ProbeConfig]) -> StepResult:
        """Behave."""
        config = ctx.config
        if config.started:
            Path(config.started).write_text(str(os.getpid()), encoding="utf-8")
        _exit_as_told(config)
        ctx.progress(1, 2, "half")
        while config.wait_for and not Path(config.wait_for).exists():
            time.sleep(0.01)
        if config.serve_url:
            _call(config.serve_url)
        ballast = bytearray(config.memory_mib * 2**20)
        while ballast:
            ballast[:] = b"x" * len(ballast)
            time.sleep(0.01)
        if config.file_limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (config.file_limit, resource.RLIM_INFINITY))
        output = ctx.outputs["data"] / "text"
        output.write_bytes(config.text.encode() + b"x" * config.write_bytes)
        if config.environment:
            values = {name: os.environ.get(name) for name in config.environment}
            ctx.write_report(values, output="data", file="environment.json")
        print("said something", file=sys.stderr)
        reasons = ["as told"] if config.decision != "pass" else []
        return StepResult(config.decision, {"champion": float(ctx.has("champion"))}, reasons)


def _exit_as_told(config: ProbeConfig) -> None:
    if not config.attempts:
        return
    counter = Path(config.counter)
    before = int(counter.read_text(encoding="utf-8")) if counter.exists() else 0
    counter.write_text(str(before + 1), encoding="utf-8")
    if before < len(config.attempts) and config.attempts[before]:
        print("as told", file=sys.stderr, flush=True)
        os._exit(config.attempts[before])


def _call(url: str) -> None:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - the test's own address
            pass
    except urllib.error.URLError as error:
        raise UnavailableError(f"{url} does not answer: {error.reason}", "start it, then resume the run") from None
