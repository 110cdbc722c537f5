"""MLflow's view of the champion: registered model `<model>`, a version whose source is the store, alias `champion`.

The history is the truth; this makes MLflow say the same, as the identity `promote`. Spoken over REST, because importing
the client would cost more than the whole act.
"""

from dataclasses import dataclass
from typing import Any, Literal

from mlstep import store
from mlstep.history import Entry
from mlstep.platform import Platform

ALIAS = "champion"
TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Followed:
    """Whether MLflow says what the history says; `detail` says why not."""

    state: Literal["in line", "behind"]
    mlflow_version: str | None
    detail: str


class _Refused(Exception):
    """MLflow's answer to a request it did not carry out."""


def follow(platform: Platform, entry: Entry) -> Followed:
    """Make MLflow's alias name the entry's bytes; safe to repeat.

    A server that does not answer does not stop a promotion or a rollback: the result then says `behind` and why.
    """
    import httpx

    user, token = platform.identity("promote")
    base = str(platform.stage("registry")["tracking_uri"])
    try:
        with httpx.Client(base_url=base, auth=(user, token), timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            version = _ensure_version(client, entry)
            _call(client, "POST", "registered-models/alias", name=entry.model, alias=ALIAS, version=version)
    except (httpx.HTTPError, _Refused) as error:
        return Followed("behind", None, f"{base}: {error}")
    return Followed("in line", version, "")


def _ensure_version(client: Any, entry: Entry) -> str:
    if _call(client, "GET", "registered-models/get", missing=True, name=entry.model) is None:
        tags = [{"key": "strata.owner", "value": "promote"}]
        _call(client, "POST", "registered-models/create", name=entry.model, tags=tags)
    found = _call(client, "GET", "model-versions/search", filter=f"name='{entry.model}'", max_results=1000) or {}
    for version in found.get("model_versions", []):
        said = {tag["key"]: tag["value"] for tag in version.get("tags", [])}
        if said.get("strata.digest") == entry.model_digest:
            return str(version["version"])
    facts = {
        "digest": entry.model_digest,
        "run": entry.run,
        "author": entry.author,
        "candidate": str(entry.version),
        "statement": entry.statement or "",
    }
    tags = [{"key": f"strata.{key}", "value": value} for key, value in sorted(facts.items())]
    source = store.uri(entry.model_digest)
    made = _call(client, "POST", "model-versions/create", name=entry.model, source=source, tags=tags) or {}
    return str(made["model_version"]["version"])


def _call(client: Any, method: str, path: str, *, missing: bool = False, **content: Any) -> dict[str, Any] | None:
    given = {"params": content} if method == "GET" else {"json": content}
    answer = client.request(method, f"/api/2.0/mlflow/{path}", **given)
    if missing and answer.status_code == 404:
        return None
    if not answer.is_success:
        raise _Refused(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
    body: dict[str, Any] = answer.json()
    return body
