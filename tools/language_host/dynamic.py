"""Runs the SDK's dynamic provider with the *project's* Python, and ends with the engine that started it."""

import os
import runpy
import sys
import threading
import time


def _exit_with_parent() -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    # As with `python -m`: the providers' modules are found from the project folder, the engine's working directory.
    sys.path[0] = os.getcwd()
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
