"""`mlstep scheduler`: the schedules and their HTTP interface."""

import argparse
from pathlib import Path

from mlstep import platform as platforms


def main(argv: list[str]) -> int:
    """`mlstep scheduler --root ROOT --port PORT`; runs until it is told to stop."""
    parser = argparse.ArgumentParser(
        prog="mlstep scheduler",
        description="Start pipelines by cron and on request. An orderly stop ends the runs, which can be resumed; "
        "a crash leaves them running.",
        epilog="example: mlstep scheduler --root ~/.local/share/strata/demo-dev --port 25103",
    )
    parser.add_argument("--root", required=True, type=Path, help="the platform folder")
    parser.add_argument("--port", required=True, type=int, help="on 127.0.0.1")
    options = parser.parse_args(argv)
    import logging

    import uvicorn

    from mlstep.scheduler.app import create_app
    from mlstep.scheduler.service import Service

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    root = options.root.expanduser().resolve()
    platform = platforms.load(root)
    platform.stage("pipelines")
    app = create_app(root, platform, Service(root, platform))
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning", access_log=False)
    return 0
