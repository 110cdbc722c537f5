"""Prediction service against `mlflow models serve`: one model, the same rows, the same machine, one after the other.

Both take named values and check their types. Ours also checks ranges, decides, and writes the answer's record before
the answer leaves; MLflow's columns are the encoded features, so it is spared the encoding.

    .strata/envs/dev/bin/python bench/serving.py [--seconds 8] [--json]
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import polars as pl

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.unit.serve import kit  # noqa: E402

READY_SECONDS = 120.0
SINGLE_REQUESTS = 400
CLIENTS = 8
BATCH_ROWS = 1_000_000


def main() -> int:
    """Measure, print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="time under load per service (default 8)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-serving-") as folder:
        place = Path(folder)
        facts = kit.make_platform(place / "root")
        model = kit.make_model(place / "model")
        kit.promote(facts, model, 1)
        save_for_mlflow(model, place / "mlflow")
        results = {
            "strata": measure(strata(facts.root), strata_body, "/predict", options.seconds),
            "mlflow models serve": measure(mlflow(place / "mlflow"), mlflow_body, "/invocations", options.seconds),
            "batch": batch(facts.root, place),
        }
    print(json.dumps(results, indent=2, sort_keys=True) if options.json else table(results))
    return 0


def save_for_mlflow(model: Path, target: Path) -> None:
    """The same estimator as an MLflow model with a signature, as its documentation advises."""
    import mlflow.sklearn
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    from mlstep.model import load_estimator

    trusted = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor", "numpy.dtype"]
    mlflow.sklearn.save_model(
        load_estimator(model / "model.skops"),
        target,
        signature=ModelSignature(Schema([ColSpec(DataType.double, feature.name) for feature in kit.FEATURES])),
        skops_trusted_types=trusted,
        pip_requirements=[],
    )


def strata(root: Path) -> Callable[[int], list[str]]:
    """Command of our service."""
    return lambda port: [sys.executable, "-m", "mlstep.cli", "serve", "--root", str(root), "--port", str(port)]


def mlflow(model: Path) -> Callable[[int], list[str]]:
    """Command of MLflow's scoring server, one worker, in this environment."""
    program = str(Path(sys.executable).with_name("mlflow"))
    return lambda port: [
        program,
        "models",
        "serve",
        "-m",
        str(model),
        "-p",
        str(port),
        "-h",
        "127.0.0.1",
        "--env-manager",
        "local",
        "-w",
        "1",
    ]


def strata_body(rows: int) -> dict[str, Any]:
    """A request to ours."""
    return dict(kit.GOOD) if rows == 1 else {"rows": [kit.GOOD] * rows}


def mlflow_body(rows: int) -> dict[str, Any]:
    """The same rows, encoded, for MLflow."""
    row = dict(zip((feature.name for feature in kit.FEATURES), (40_000.0, 40.0, 0.0, 1.0), strict=True))
    return {"dataframe_records": [row] * rows}


def measure(
    command: Callable[[int], list[str]], body: Callable[[int], dict[str, Any]], path: str, seconds: float
) -> dict[str, float]:
    """Latency of 1 and 100 rows with one client, throughput with eight."""
    with running(command) as (port, ready):
        url = f"http://127.0.0.1:{port}{path}"
        one, hundred = latencies(url, body(1), SINGLE_REQUESTS), latencies(url, body(100), SINGLE_REQUESTS // 4)
        return {
            "ready_seconds": ready,
            "p50_ms_1_row": quantile(one, 0.5),
            "p99_ms_1_row": quantile(one, 0.99),
            "p50_ms_100_rows": quantile(hundred, 0.5),
            "p99_ms_100_rows": quantile(hundred, 0.99),
            "requests_per_second_8_clients": throughput(url, body(1), seconds),
        }


@contextmanager
def running(command: Callable[[int], list[str]]) -> Iterator[tuple[int, float]]:
    """A service while it is measured; yields its port and how long it took to get ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    environment = {
        **os.environ, "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    begun = time.monotonic()
    process = subprocess.Popen(
        command(port), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while not _up(port):
            if process.poll() is not None or time.monotonic() - begun > READY_SECONDS:
                raise SystemExit(f"did not get ready: {' '.join(command(port))}")
            time.sleep(0.1)
        yield port, time.monotonic() - begun
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def _up(port: int) -> bool:
    try:
        return any(
            httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=2).status_code == 200
            for path in ("/ready", "/ping")
        )
    except httpx.HTTPError:
        return False


def latencies(url: str, body: dict[str, Any], requests: int) -> list[float]:
    """Milliseconds of each request, one after the other, after ten that warm up."""
    times = []
    with httpx.Client(trust_env=False, timeout=30) as client:
        for number in range(requests + 10):
            begun = time.perf_counter()
            client.post(url, json=body).raise_for_status()
            if number >= 10:
                times.append((time.perf_counter() - begun) * 1000)
    return times


def throughput(url: str, body: dict[str, Any], seconds: float) -> float:
    """Requests answered per second with eight clients at once."""
    end = time.monotonic() + seconds
    counts = [0] * CLIENTS

    def client(number: int) -> None:
        with httpx.Client(trust_env=False, timeout=30) as session:
            while time.monotonic() < end:
                session.post(url, json=body).raise_for_status()
                counts[number] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def batch(root: Path, place: Path) -> dict[str, float]:
    """A million rows from Parquet to Parquet with `mlstep score`, records kept."""
    import numpy as np

    rng = np.random.default_rng(1)
    columns = {
        "income": rng.uniform(0, 100_000, BATCH_ROWS), "age": rng.uniform(18, 80, BATCH_ROWS),
        "home": rng.choice(["own", "rent"], BATCH_ROWS), "employed": rng.integers(0, 2, BATCH_ROWS).astype(bool),
    }  # fmt: skip
    pl.DataFrame(columns).write_parquet(place / "rows.parquet")
    command = [sys.executable, "-m", "mlstep.cli", "score", "--root", str(root), "--in", str(place / "rows.parquet")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    begun = time.monotonic()
    done = subprocess.run(
        [*command, "--out", str(place / "out.parquet")], env=environment, check=True, capture_output=True, text=True
    )
    seconds = time.monotonic() - begun
    inside = float(done.stdout.rsplit(" ", 2)[-2].replace(",", ""))
    return {"rows_per_second_process": BATCH_ROWS / seconds, "rows_per_second_scoring": inside}


def quantile(times: list[float], share: float) -> float:
    """A quantile of measured times."""
    return statistics.quantiles(times, n=100)[round(share * 100) - 1]


def table(results: dict[str, dict[str, float]]) -> str:
    """For people."""
    ours, theirs = results["strata"], results["mlflow models serve"]
    lines = [f"{'':32}{'strata':>12}{'mlflow':>12}"]
    lines += [f"{name:32}{ours[name]:>12.1f}{theirs[name]:>12.1f}" for name in ours]
    lines += [f"{'batch ' + name:48}{value:>12,.0f}" for name, value in results["batch"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
