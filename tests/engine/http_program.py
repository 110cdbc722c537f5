"""A small real HTTP server for tests of the supervisor: answers every GET with its pid. Standard library only.

Options by environment: CRASH (print this and the variable SECRET, and end with 3), ORPHAN (start a child that
clears its environment and its
parent), SLOW (seconds before the port is opened).
"""

import http.server
import os
import subprocess
import sys
import time
from pathlib import Path


class Answer(http.server.BaseHTTPRequestHandler):
    """Says who answers."""

    def do_GET(self) -> None:
        """Answer every path with this process's number."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())

    def log_message(self, *_: object) -> None:
        """Keep the log for what a test wants to see in it."""


def main() -> None:
    """Serve until ended."""
    port = int(sys.argv[sys.argv.index("--port") + 1])
    if "CRASH" in os.environ:
        print(os.environ["CRASH"], os.environ["SECRET"], flush=True)
        sys.exit(3)
    if "ORPHAN" in os.environ:
        # The shell ends at once, so its child has no living parent; -i leaves it no mark.
        command = f"env -i sleep 600 & echo $! > {os.environ['ORPHAN']}"
        subprocess.run(["/bin/sh", "-c", command], check=True)
        print("orphan", Path(os.environ["ORPHAN"]).read_text(), flush=True)
    time.sleep(float(os.environ.get("SLOW", "0")))
    print("serving", port, flush=True)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer).serve_forever()


if __name__ == "__main__":
    main()
