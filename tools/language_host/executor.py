"""Runs one Pulumi program. Started by the host with the *project's* Python, so it imports nothing of ours.

Exit codes: 0 done, 32 failed and the user has seen why, 1 `pulumi.RunError` (logged), others the program's own.
"""

import argparse
import asyncio
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

try:
    import pulumi
    import pulumi.runtime
except ImportError:
    traceback.print_exc()
    print(
        f"The Pulumi SDK is not installed in {sys.prefix}. Install the project's dependencies into it:\n"
        f"    {sys.executable} -m pip install -r requirements.txt",
        file=sys.stderr,
    )
    sys.exit(1)

MESSAGE_SHOWN = 32


def main() -> int:
    """Configure the SDK from arguments and environment, run the program, report its failure to the engine."""
    arguments = _arguments()
    # Must come before the configuration is read: the program may read it at import time.
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), list(pulumi.runtime.get_config_secret_keys_env()))
    settings = pulumi.runtime.Settings(
        monitor=arguments.monitor,
        engine=arguments.engine,
        project=arguments.project,
        stack=arguments.stack,
        parallel=arguments.parallel,
        dry_run=arguments.dry_run,
        organization=arguments.organization,
        root_directory=arguments.root_directory,
    )
    pulumi.runtime.configure(settings)
    sys.argv = [arguments.program, *arguments.rest]
    if arguments.pwd:
        os.chdir(arguments.pwd)
    # A failed resource leaves parts of the data flow unevaluated; asyncio's complaints would bury the cause.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    return _run(arguments.program, arguments.parallel)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run a Pulumi program in Python")
    for name in ("monitor", "engine", "project", "stack", "organization", "root-directory", "pwd"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--parallel", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("program")
    parser.add_argument("rest", nargs="*")
    return parser.parse_args()


def _run(program: str, parallel: int) -> int:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    workers = ThreadPoolExecutor(max_workers=max(parallel, 1) * 4)
    loop.set_default_executor(workers)
    location = Path(program).resolve()
    if location.is_dir() and not (location / "__main__.py").is_file():
        pulumi.log.error(f"unable to find main python program `__main__.py` in `{location}`")
        return MESSAGE_SHOWN
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _program(program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception as error:  # noqa: BLE001 - whatever the program raises is reported to the engine
        pulumi.log.error(f"Program failed with an unhandled exception:\n{_user_traceback(error, location)}")
        return MESSAGE_SHOWN
    finally:
        workers.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _program(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _user_traceback(error: Exception, program: Path) -> str:
    """The traceback from the first line of the program on, without the frames of the SDK that called it."""
    frames = traceback.extract_tb(error.__traceback__)
    for index, frame in enumerate(frames):
        path = Path(frame.filename).resolve()
        if path == program or path == program / "__main__.py":
            return "".join(traceback.format_exception(error, limit=index - len(frames)))
    return "".join(traceback.format_exception(error))


if __name__ == "__main__":
    sys.exit(main())
