"""`mlstep receiver`: take alerts and truth, write mails, start retraining within its guards."""

import argparse
import getpass
import logging
from pathlib import Path

from mlstep.alerts import retraining
from mlstep.canonical import now
from mlstep.errors import ConfigError


def main(argv: list[str]) -> int:
    """Serve until SIGTERM; `--freeze REASON` and `--unfreeze` turn retraining off and on, and stop."""
    parser = argparse.ArgumentParser(
        prog="mlstep receiver",
        epilog="example: mlstep receiver --root ~/.local/share/strata/demo-dev --freeze 'audit until Friday'",
    )
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    parser.add_argument("--port", type=int)
    parser.add_argument("--freeze", metavar="REASON", help="let no retraining start")
    parser.add_argument("--unfreeze", action="store_true", help="allow retraining again")
    options = parser.parse_args(argv)
    if options.freeze is not None:
        retraining.freeze(options.root, options.freeze, getpass.getuser(), now())
        print(f"retraining is frozen: {options.freeze}")
        return 0
    if options.unfreeze:
        print("retraining is allowed again" if retraining.unfreeze(options.root) else "retraining was not frozen")
        return 0
    if options.port is None:
        raise ConfigError("mlstep receiver: no --port", "give the port to listen on, --freeze or --unfreeze")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    import uvicorn

    from mlstep.alerts import app

    application = app.build(options.root, now, retraining.post_run)
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=options.port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )
    return 0
