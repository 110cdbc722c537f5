"""What a step's process is given: threads of its size, little of the caller's, credentials only where declared."""

import math
import os
import sys
from pathlib import Path

from mlstep.errors import ConfigError
from mlstep.manifest import code_digest, git_commit
from mlstep.platform import Platform
from mlstep.runner.plan import PlannedStep

_KEPT = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "STRATA_NOW", "STRATA_IMAGE_DIGEST",
)  # fmt: skip
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


def step_environment(step: PlannedStep, platform: Platform | None, cores: int) -> dict[str, str]:
    """The environment of one step; credentials are in it only for a step that uses tracking.

    Raises:
        ConfigError: it uses tracking and the platform has none, or its token cannot be read.
    """
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    threads = str(max(1, min(cores, math.ceil(step.cpu))))
    environment |= dict.fromkeys(_THREADS, threads)
    environment |= {
        "STRATA_GIT_COMMIT": git_commit() or "",
        "STRATA_CODE_DIGEST": code_digest(),
        "PYTHONHASHSEED": "0",  # The order of sets must not change what a step writes.
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
    if "tracking" in step.uses:
        environment |= _tracking(step, platform)
    return environment


def step_command(step: PlannedStep, folder: Path, run: str, inputs: dict[str, str], config: Path | None) -> list[str]:
    """The command line of one step; `-P` keeps modules beside the caller from hiding the standard library's."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "mlstep.cli",
        "step",
        step.step,
        "--run-id",
        run,
        "--result",
        str(folder / "result.json"),
    ]
    for name, path in inputs.items():
        command += ["--in", f"{name}={path}"]
    for name in step.outputs:
        command += ["--out", f"{name}={folder / name}"]
    return [*command, "--config", str(config)] if config is not None else command


def _tracking(step: PlannedStep, platform: Platform | None) -> dict[str, str]:
    if platform is None or not platform.has("registry"):
        raise ConfigError(
            f"step {step.name} uses tracking, and there is no registry here",
            "give the --root of a platform, or run --until an earlier step",
        )
    user, password = platform.identity("pipeline")
    return {
        "MLFLOW_TRACKING_URI": str(platform.stage("registry")["tracking_uri"]),
        "MLFLOW_TRACKING_USERNAME": user,
        "MLFLOW_TRACKING_PASSWORD": password,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    }
