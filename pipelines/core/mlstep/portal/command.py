"""`mlstep portal`: serve the pages on this machine."""

import argparse
from pathlib import Path

from mlstep.platform import load


def main(argv: list[str]) -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(
        prog="mlstep portal",
        description="Pages about models, data, runs and decisions, on 127.0.0.1; nothing is written.",
        epilog="example: mlstep portal --root ~/.local/share/strata/demo-dev --port 25102",
    )
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(argv)
    load(options.root)
    import uvicorn

    from mlstep.portal.app import build

    uvicorn.run(
        build(options.root),
        host="127.0.0.1",
        port=options.port,
        access_log=False,
        server_header=False,
        log_level="warning",
    )
    return 0
