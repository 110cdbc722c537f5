"""`mlstep serve`: the prediction service, or the challenger in its shadow."""

import argparse
import logging
import os
from pathlib import Path


def main(argv: list[str]) -> int:
    """Serve until SIGTERM; then the log is flushed and compacted."""
    parser = argparse.ArgumentParser(
        prog="mlstep serve",
        epilog="example: mlstep serve --role champion --root ~/.local/share/strata/demo-dev --port 25101",
    )
    parser.add_argument("--role", choices=("champion", "challenger"), default="champion")
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--fsync-seconds",
        type=float,
        default=1.0,
        help="how often the log is brought to the disk; 0: before every answer (default 1)",
    )
    options = parser.parse_args(argv)
    # More threads than one per request fight for the cores: a single row then takes up to 700 ms.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    import uvicorn

    from mlstep_serve import app, parts, scorer

    scorer.leave_out_frames()

    application = app.build(parts.build(options.root, options.role, options.fsync_seconds))
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=options.port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )
    return 0
