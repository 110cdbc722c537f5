"""Runs `mlflow server` in one process instead of two. A program for the run-time environment's interpreter.

`mlflow server` prepares everything, starts uvicorn as a child and then only waits for it, holding some 220 MiB. Here
uvicorn takes over the process that prepared: half the memory, and MLflow's modules are imported once, not twice. The
arguments are those of `mlflow`. Should a release start its server in another way, this refuses instead of guessing.
"""

import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

PREFIX = [sys.executable, "-m", "uvicorn"]


def take_over(command: Sequence[str], *, extra_env: Mapping[str, str], **_: Any) -> NoReturn:
    """Becomes the server that MLflow was about to start as a child.

    Raises:
        SystemExit: when the server ends, or if MLflow wants to start something else than uvicorn.
    """
    if list(command[:3]) != PREFIX:
        sys.exit(
            f"this MLflow starts its server as {' '.join(command[:3])!r}, expected {' '.join(PREFIX)!r}; "
            "use `mlflow server`"
        )
    os.environ.update(extra_env)
    sys.argv = ["uvicorn", *command[3:]]
    runpy.run_module("uvicorn", run_name="__main__", alter_sys=True)
    sys.exit(0)


def main() -> None:
    """Runs the command line of MLflow with this one change."""
    import mlflow.server
    from mlflow.cli import cli

    if not hasattr(mlflow.server, "_exec_cmd"):
        sys.exit("this MLflow starts its server in another way; use `mlflow server`")
    mlflow.server._exec_cmd = take_over  # noqa: SLF001 - the one place where it starts the child
    cli()


if __name__ == "__main__":
    main()
