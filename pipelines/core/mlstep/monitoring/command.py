"""`mlstep alerting`: evaluate every model's signals every few seconds, for as long as the platform runs."""

import argparse
import json
import logging
import signal as os_signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mlstep import history, platform, truths
from mlstep.canonical import now
from mlstep.errors import ConfigError, StrataError
from mlstep.monitoring import evaluate, notify, publish, render, signals, state

_log = logging.getLogger(__name__)


class Alerting:
    """The rounds, and what `/healthz` says about them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.facts = platform.load(root)
        self.interval = float(self.facts.stage("monitoring")["interval_seconds"])
        self.problems: dict[str, str] = {}
        self.last = time.monotonic()
        self.rounds = 0

    @property
    def by_prometheus(self) -> bool:
        """Whether Prometheus judges the rules and Alertmanager tells the receiver, instead of this process."""
        return self.facts.stage("monitoring").get("alerting") == "prometheus"

    def prepare(self) -> None:
        """Write Prometheus' rules, where it judges them; before the port opens, because it is started after that.

        Raises:
            ConfigError: signals.yaml is wrong.
        """
        if self.by_prometheus:
            render.main(self.facts, self.root / "metrics" / "rules")

    def round(self) -> None:
        """Evaluate every model that has a history; a model that cannot be evaluated does not stop the others."""
        self.facts = platform.load(self.root)
        watched = signals.load(Path(self.facts.stage("monitoring")["signals"]))
        self.problems.clear()
        truths.sort_inbox(self.root)
        for model in history.models(self.root):
            try:
                self._model(model, watched)
            except StrataError as error:
                self.problems[model] = str(error)
            except Exception as error:  # noqa: BLE001 -- one model must not stop the others; it is in /healthz
                _log.exception("%s: this round failed", model)
                self.problems[model] = f"{type(error).__name__}: {error}"
        self.rounds += 1

    def _model(self, model: str, watched: signals.Signals) -> None:
        remembered = state.load(self.root, model)
        found = evaluate.evaluate(self.facts, model, watched, remembered, now())
        if self.by_prometheus:
            notify.hand_over(self.facts, found, watched)
        else:
            notify.collect(self.facts, found, watched)
        # Windows first, state second: after a crash in between the same windows close again and are kept once.
        state.keep_windows(self.root, model, found.closed, watched.keep_windows)
        publish.write(self.root, found, watched)
        state.save(self.root, model, remembered)
        if remembered.waiting:
            notify.deliver(self.facts, found, notify.post)
            state.save(self.root, model, remembered)

    def run(self, stop: threading.Event) -> None:
        """Rounds until `stop` is set."""
        while not stop.is_set():
            begun = time.monotonic()
            try:
                self.round()
            except Exception as error:  # noqa: BLE001 -- the next round may succeed; until then /healthz says why not
                _log.exception("this round failed")
                self.problems[""] = str(error)
            self.last = time.monotonic()
            stop.wait(max(0.1, self.interval - (time.monotonic() - begun)))

    def health(self) -> tuple[int, dict[str, Any]]:
        """503 when no round has ended for long."""
        late = time.monotonic() - self.last > max(60.0, 3 * self.interval)
        content = {
            "status": "late" if late else "ok",
            "rounds": self.rounds,
            "interval_seconds": self.interval,
            "problems": self.problems,
        }
        return (503 if late else 200), content


def main(argv: list[str]) -> int:
    """Evaluate until SIGTERM; with `--once` one round; with `--render-rules` write Prometheus' rule files and stop."""
    parser = argparse.ArgumentParser(
        prog="mlstep alerting", epilog="example: mlstep alerting --root ~/.local/share/strata/demo-dev --port 25106"
    )
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    parser.add_argument("--port", type=int)
    parser.add_argument("--once", action="store_true", help="one round, then stop")
    parser.add_argument(
        "--render-rules",
        type=Path,
        metavar="DIR",
        help="write rule files for Prometheus, checked by promtool where it is on PATH",
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    alerting = Alerting(options.root)
    if options.render_rules is not None:
        return render.main(alerting.facts, options.render_rules)
    if options.once:
        alerting.round()
        print(json.dumps(alerting.health()[1], sort_keys=True))
        return 1 if alerting.problems else 0
    if options.port is None:
        raise ConfigError("mlstep alerting: no --port", "give the port for /healthz and /metrics, or --once")
    alerting.prepare()
    stop = threading.Event()
    os_signal.signal(os_signal.SIGTERM, lambda *_: stop.set())
    server = ThreadingHTTPServer(("127.0.0.1", options.port), _handler(alerting))
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    alerting.run(stop)
    server.shutdown()
    return 0


def _handler(alerting: Alerting) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """`/healthz` and `/metrics`."""

        def do_GET(self) -> None:
            """Answer."""
            if self.path == "/healthz":
                status, content = alerting.health()
                self._send(status, json.dumps(content, sort_keys=True), "application/json")
            elif self.path == "/metrics":
                texts = [
                    file.read_text(encoding="utf-8") for file in sorted((alerting.root / "metrics").glob("*.prom"))
                ]
                self._send(200, publish.merge(texts), "text/plain; version=0.0.4; charset=utf-8")
            else:
                self._send(404, "not found; there are /healthz and /metrics\n", "text/plain")

        def _send(self, status: int, text: str, kind: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """No line per health check."""

    return Handler
