"""Which processes answer, and whether MLflow's alias says what the history says."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mlstep.errors import ConfigError
from mlstep.history import Entry
from mlstep.platform import Platform

TIMEOUT_SECONDS = 3.0
# Process, port after the base, health path, and the stage that brings it (architecture, section 3).
PROCESSES = (
    ("mlflow", 0, "/health", "registry"),
    ("prediction", 1, "/ready", "registry"),
    ("portal", 2, "/healthz", "registry"),
    ("scheduler", 3, "/healthz", "pipelines"),
    ("challenger", 4, "/ready", "monitoring"),
    ("receiver", 5, "/healthz", "monitoring"),
    ("alerting", 6, "/healthz", "monitoring"),
    ("features", 9, "/health", "feature_store"),
)
BY_PROMETHEUS = (("prometheus", 7, "/-/healthy"), ("alertmanager", 8, "/-/healthy"))
"""Two more, where the record's monitoring.alerting is prometheus."""
ALIAS = "champion"


def processes(platform: Platform) -> list[dict[str, Any]]:
    """Every process of the stages reached, asked all at once: {name, port, state: healthy|down, detail}."""
    base = int(platform.stage("foundation")["ports"]["base"])
    expected = [(name, base + offset, path) for name, offset, path, stage in PROCESSES if platform.has(stage)]
    if platform.has("monitoring") and platform.stage("monitoring").get("alerting") == "prometheus":
        expected += [(name, base + offset, path) for name, offset, path in BY_PROMETHEUS]
    if not expected:
        return []
    with ThreadPoolExecutor(len(expected)) as pool:
        return list(pool.map(lambda item: _ask(*item), expected))


def alias(platform: Platform, entry: Entry) -> dict[str, Any]:
    """MLflow's champion of a model against the history's: {state: in line|out of line|not known, detail}."""
    import httpx

    if not platform.has("registry"):
        return {"state": "not known", "detail": "the platform has no stage registry"}
    base = str(platform.stage("registry")["tracking_uri"])
    try:
        user, token = platform.identity("audit")
        query = {"name": entry.model, "alias": ALIAS}
        path = f"{base}/api/2.0/mlflow/registered-models/alias"
        answer = httpx.get(path, params=query, auth=(user, token), timeout=TIMEOUT_SECONDS, trust_env=False)
    except (httpx.HTTPError, ConfigError) as error:
        return {"state": "not known", "detail": f"{base}: {getattr(error, 'what', error)}"}
    if answer.status_code == 404:
        return {"state": "out of line", "detail": f"MLflow knows no {ALIAS} of {entry.model}"}
    if not answer.is_success:
        return {"state": "not known", "detail": f"{base} answered {answer.status_code}"}
    version = answer.json()["model_version"]
    tags = {tag["key"]: tag["value"] for tag in version.get("tags", [])}
    if tags.get("strata.digest") != entry.model_digest:
        return {
            "state": "out of line",
            "detail": f"MLflow's {ALIAS} is its version {version['version']}, with other bytes",
        }
    return {"state": "in line", "detail": f"MLflow's version {version['version']}"}


def _ask(name: str, port: int, path: str) -> dict[str, Any]:
    import httpx

    url = f"http://127.0.0.1:{port}{path}"
    known: dict[str, Any] = {"name": name, "port": port, "url": url}
    try:
        answer = httpx.get(url, timeout=TIMEOUT_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        return {**known, "state": "down", "detail": type(error).__name__}
    return {**known, "state": "healthy" if answer.is_success else "down", "detail": f"HTTP {answer.status_code}"}
