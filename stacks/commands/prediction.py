"""Ask the prediction service one question: the most ordinary case that the model was trained on."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from stacks.commands import platform_files
from stacks.commands.failure import Failure
from stacks.record import Record

WAIT_SECONDS = 60.0
"""How long the service may take to find the new champion in the history and load it, in seconds."""
POLL_SECONDS = 0.2


def ask(record: Record, candidate: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """Return the answer of the given model, and how long it took in seconds.

    Raises:
        Failure: the service does not answer, or not with this model.
    """
    registry = platform_files.stage_file(record, "registry") or {}
    model, digest = str(candidate["model"]), str(candidate["digest"])
    url = f"{str(registry['prediction_service']).rstrip('/')}/models/{model}/predict"
    row = ordinary_row(record.root / "artifacts" / "store" / "sha256" / digest)
    until = time.monotonic() + WAIT_SECONDS
    found: dict[str, Any] = {}
    while time.monotonic() < until:
        found, seconds = _post(record, url, row)
        if found.get("model_digest") == digest and not found.get("fallback"):
            return found, seconds
        time.sleep(POLL_SECONDS)
    reason = found.get("fallback_reason") or f"it answers with {found.get('model_digest') or 'no model'}"
    raise Failure(
        f"the service does not answer with {model} v{candidate['version']}",
        str(reason),
        f"strata status {record.stack_name}; strata logs prediction",
        record.root / "logs" / "prediction.log",
    )


def ordinary_row(model_folder: Path) -> dict[str, Any]:
    """Return, from the training profile of a model, the median of each number and the commonest of each category.

    Raises:
        Failure: the model folder has no profile.
    """
    try:
        profile = json.loads((model_folder / "profile.json").read_text(encoding="utf-8"))
        description = json.loads((model_folder / "model.json").read_text(encoding="utf-8"))
        kinds = {feature["name"]: feature["kind"] for feature in description["features"]}
        return {name: _ordinary(profile["features"][name], kind) for name, kind in kinds.items()}
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise Failure(f"{model_folder} is not a model folder", repr(error), "run the pipeline again") from None


def _ordinary(column: dict[str, Any], kind: str) -> Any:
    if kind == "number":
        edges = column["edges"]
        return edges[len(edges) // 2] if edges else column["mean"]
    counts = column["counts"][: len(column["categories"])]
    value = column["categories"][counts.index(max(counts))]
    return value == "true" if kind == "boolean" else value


def _post(record: Record, url: str, row: dict[str, Any]) -> tuple[dict[str, Any], float]:
    import httpx

    started = time.monotonic()
    try:
        # A proxy of the user's must not see, or swallow, what goes to this machine itself.
        answer = httpx.post(url, json=row, timeout=30, trust_env=False)
        if answer.status_code == httpx.codes.NOT_FOUND:
            # A model of a new name is not there until the service has read the history again.
            return {"fallback_reason": f"{url}: no such model yet"}, time.monotonic() - started
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        log = record.root / "logs" / "prediction.log"
        raise Failure("the prediction service did not answer", f"POST {url}: {error}", "strata status", log) from None
    return content, time.monotonic() - started
