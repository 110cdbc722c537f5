"""A real MLflow server with basic authentication on a free port, with the five identities."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from components._kit.mlflow_access import _converge

IDENTITIES = ("develop", "pipeline", "promote", "serve", "audit")
SERVER = Path(__file__).parents[2] / "components" / "registry" / "mlflow_server.py"
RUN_TIME = Path(__file__).parents[2] / ".strata" / "envs" / "run-time" / "bin" / "python"
START_SECONDS = 180.0


@dataclass(frozen=True)
class Server:
    """Where it listens, and who may log in."""

    uri: str
    root: Path
    tokens: dict[str, str]

    def login(self, identity: str) -> tuple[str, str]:
        """User and password."""
        return identity, self.tokens[identity]

    def variables(self, identity: str) -> dict[str, str]:
        """What the runner puts into the environment of a step that uses tracking."""
        user, token = self.login(identity)
        return {
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_TRACKING_USERNAME": user,
            "MLFLOW_TRACKING_PASSWORD": token,
        }

    def get(self, identity: str, path: str, **parameters: str) -> httpx.Response:
        """Read from the REST interface as an identity."""
        url = f"{self.uri}/api/2.0/mlflow/{path}"
        return httpx.get(url, params=parameters, auth=self.login(identity), timeout=30, trust_env=False)

    def post(self, identity: str, path: str, **content: object) -> httpx.Response:
        """Write to the REST interface as an identity."""
        url = f"{self.uri}/api/2.0/mlflow/{path}"
        return httpx.post(url, json=content, auth=self.login(identity), timeout=30, trust_env=False)


@contextmanager
def running(root: Path) -> Iterator[Server]:
    """A server over `<root>/mlflow` and `<root>/artifacts`; its log is `<root>/mlflow.log`."""
    (root / "mlflow").mkdir(parents=True)
    (root / "artifacts").mkdir()
    tokens = {name: secrets.token_urlsafe(18) for name in (*IDENTITIES, "admin")}
    port = _free_port()
    with (root / "mlflow.log").open("w") as log:
        process = subprocess.Popen(
            _command(root, port), env=_environment(root, port, tokens["admin"]), stdout=log, stderr=log
        )
        try:
            uri = f"http://127.0.0.1:{port}"
            _await(process, uri, root / "mlflow.log")
            _make_users(root, uri, tokens)
            yield Server(uri, root, tokens)
        finally:
            process.terminate()
            process.wait(30)


def _command(root: Path, port: int) -> list[str]:
    python = str(RUN_TIME if RUN_TIME.exists() else sys.executable)
    command = [python, str(SERVER), "server", "--app-name", "basic-auth", "--host", "127.0.0.1", "--port", str(port)]
    return [*command, "--workers", "1", "--serve-artifacts", "--artifacts-destination", str(root / "artifacts")]


def _environment(root: Path, port: int, password: str) -> dict[str, str]:
    auth = root / "mlflow" / "auth.ini"
    auth.write_text(
        f"[mlflow]\ndefault_permission = NO_PERMISSIONS\ndatabase_uri = sqlite:///{root}/mlflow/auth.db\n"
        f"admin_username = admin\nadmin_password = {password}\n"
        "auth_cache_ttl_seconds = 60\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n",
        encoding="utf-8",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return {
        **kept,
        "MLFLOW_AUTH_CONFIG_PATH": str(auth),
        "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{root}/mlflow/mlflow.db",
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(16),
        "MLFLOW_SERVER_ALLOWED_HOSTS": f"127.0.0.1:{port},localhost:{port}",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    }


def _await(process: "subprocess.Popen[bytes]", uri: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"MLflow ended with {process.returncode}:\n{log.read_text(encoding='utf-8')[-4000:]}")
        try:
            if httpx.get(f"{uri}/health", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError(f"MLflow did not answer in {START_SECONDS:.0f} s:\n{log.read_text(encoding='utf-8')[-4000:]}")


def _make_users(root: Path, uri: str, tokens: dict[str, str]) -> None:
    """As the platform makes them."""
    files = {}
    for name, token in tokens.items():
        files[name] = str(root / f"{name}.token")
        Path(files[name]).write_text(token, encoding="ascii")
    admin = files.pop("admin")
    models = {"credit": "promote", "credit-candidate": "pipeline"}
    props = {"tracking_uri": uri, "admin_user": "admin", "admin_password_file": admin, "token_files": files}
    _converge({**props, "models": models})


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
