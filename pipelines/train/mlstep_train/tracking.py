"""MLflow's REST interface, as far as a pipeline needs it, with patience for a server that restarts.

Spoken over REST because importing MLflow's client takes longer than all requests together.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

from mlstep.errors import ConfigError, RefusedError, UnavailableError

TIMEOUT_SECONDS = 20.0
_API = "/api/2.0/mlflow/"
_LONGEST_WAIT_SECONDS = 8.0
_BATCH = 100  # MLflow takes at most 100 parameters or tags per request.
_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")


class Tracking:
    """One MLflow server as one user.

    Args:
        attempts: tries of a request that does not reach the server, with doubling waits between them.
    """

    def __init__(self, uri: str, user: str, password: str, attempts: int) -> None:
        import httpx

        self.uri = uri
        self.attempts = attempts
        self._client = httpx.Client(base_url=uri, auth=(user, password), timeout=TIMEOUT_SECONDS, trust_env=False)

    def experiment(self, name: str) -> str:
        """The id of an experiment, made if it is not there."""
        found = self._call("GET", "experiments/get-by-name", missing=True, experiment_name=name)
        if found is not None:
            return str(found["experiment"]["experiment_id"])
        return str(self._made("experiments/create", name=name)["experiment_id"])

    def run(self, experiment: str, name: str, tags: Mapping[str, str], started_ms: int) -> str:
        """The id of the run that carries these tags, made if it is not there."""
        known = " and ".join(f"tags.`{key}` = '{value}'" for key, value in sorted(tags.items()))
        found = self._made("runs/search", experiment_ids=[experiment], filter=known, max_results=1)
        if found.get("runs"):
            return str(found["runs"][0]["info"]["run_id"])
        made = self._made(
            "runs/create", experiment_id=experiment, run_name=name, start_time=started_ms, tags=_pairs(tags)
        )
        return str(made["run"]["info"]["run_id"])

    def log(
        self, run: str, parameters: Mapping[str, str], metrics: Mapping[str, float], tags: Mapping[str, str], at_ms: int
    ) -> None:
        """Log everything at once; the same values again change nothing."""
        points = [{"key": key, "value": value, "timestamp": at_ms, "step": 0} for key, value in sorted(metrics.items())]
        pairs = _pairs(parameters)
        self._made("runs/log-batch", run_id=run, metrics=points, params=pairs[:_BATCH], tags=_pairs(tags)[:_BATCH])
        for start in range(_BATCH, len(pairs), _BATCH):
            self._made("runs/log-batch", run_id=run, params=pairs[start : start + _BATCH])

    def log_dataset(self, run: str, name: str, sha256: str, source: str, context: str) -> None:
        """Log a data set with our digest: MLflow's own looks at 10,000 rows only, and holds 36 characters at most."""
        import json

        dataset = {"name": name, "digest": sha256[:36], "source_type": "local", "source": json.dumps({"uri": source})}
        tags = _pairs({"mlflow.data.context": context, "strata.sha256": sha256})
        self._made("runs/log-inputs", run_id=run, datasets=[{"tags": tags, "dataset": dataset}])

    def finish(self, run: str, ended_ms: int) -> None:
        """Mark a run as finished."""
        self._made("runs/update", run_id=run, status="FINISHED", end_time=ended_ms)

    def version(self, model: str, source: str, run: str, tags: Mapping[str, str]) -> int:
        """The version of a registered model that carries these tags, made if it is not there; the model is made too."""
        if self._call("GET", "registered-models/get", missing=True, name=model) is None:
            self._made("registered-models/create", name=model)
        found = self._call("GET", "model-versions/search", filter=f"name='{model}'", max_results=1000) or {}
        for version in found.get("model_versions", []):
            said = {tag["key"]: tag["value"] for tag in version.get("tags", [])}
            if all(said.get(key) == value for key, value in tags.items()):
                return int(version["version"])
        made = self._made("model-versions/create", name=model, source=source, run_id=run, tags=_pairs(tags))
        return int(made["model_version"]["version"])

    def _made(self, path: str, **content: Any) -> dict[str, Any]:
        answer = self._call("POST", path, **content)
        return answer or {}

    def _call(self, method: str, path: str, *, missing: bool = False, **content: Any) -> dict[str, Any] | None:
        import httpx

        given: dict[str, Any] = {"params": content} if method == "GET" else {"json": content}
        failure = ""
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(min(_LONGEST_WAIT_SECONDS, 0.25 * 2**attempt))
            try:
                answer = self._client.request(method, _API + path, **given)
            except httpx.TransportError as error:
                failure = str(error) or type(error).__name__
                continue
            if answer.status_code >= 500 or answer.status_code == 429:
                failure = f"status {answer.status_code}"
                continue
            return self._parse(answer, path, missing)
        raise UnavailableError(
            f"MLflow at {self.uri} did not answer {path} in {self.attempts} attempts ({failure})",
            "see the log of the process mlflow; then resume the run",
        )

    def _parse(self, answer: Any, path: str, missing: bool) -> dict[str, Any] | None:
        if missing and answer.status_code == 404:
            return None
        if answer.status_code == 401:
            raise ConfigError(
                f"MLflow at {self.uri} does not know this user or password", "run `strata up`, which makes the users"
            )
        if not answer.is_success:
            raise RefusedError(
                f"MLflow refused {path} ({answer.status_code}): {answer.text[:300]}",
                "check the identity's rights in MLflow",
            )
        content: dict[str, Any] = answer.json()
        return content


def connect(attempts: int) -> Tracking:
    """The server that the environment names.

    Raises:
        ConfigError: a variable is missing; the message names all that are.
    """
    missing = [name for name in _VARIABLES if not os.environ.get(name)]
    if missing:
        raise ConfigError(
            f"no tracking server: {', '.join(missing)} not set",
            "run on a platform (`mlstep run --root ROOT …`), which sets them, or stop earlier (--until evaluate)",
        )
    uri, user, password = (os.environ[name] for name in _VARIABLES)
    return Tracking(uri, user, password, attempts)


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(values.items())]
