"""Which data sets become feature views: the governance record's data, read through their contracts."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlstep.canonical import digest_file, read_json
from mlstep.errors import ConfigError
from mlstep.manifest import verify_manifest
from mlstep.platform import Platform

ROLE = "strata.role"
# Rows that one of these refused, or did not see, are never offered to others.
JUDGES = ("validate", "pii")


@dataclass(frozen=True)
class DataSet:
    """One data set of the record, as its contract describes it.

    Attributes:
        name: its name in the record.
        view: the same as a Feast name.
        keys: columns with the role entity.
        time: the column with the role time, or None.
        features: columns without a role.
        contract_digest: SHA-256 of the contract's bytes, which manifests name.
    """

    name: str
    view: str
    owner: str
    contract: Path
    contract_digest: str
    keys: tuple[str, ...]
    time: str | None
    features: tuple[str, ...]

    @property
    def obstacle(self) -> str | None:
        """Why no feature view can be made of it, or None."""
        missing = [role for role, found in (("entity", self.keys), ("time", self.time)) if not found]
        if missing:
            return f"{self.contract.name} has no column with the role {' and none with '.join(missing)}"
        return None if self.features else f"{self.contract.name} has no feature: every column has a role"


@dataclass(frozen=True)
class Snapshot:
    """The rows of one ingest run, verified against their manifest."""

    path: Path
    digest: str
    run: str
    pipeline: str
    rows: int
    ended: str


def data_sets(platform: Platform) -> list[DataSet]:
    """Every data set of the record, sorted by name.

    Raises:
        ConfigError: a contract cannot be read; all of them in one message.
    """
    entries = platform.stage("governance")["data"] if platform.has("governance") else []
    found, problems = [], []
    for entry in sorted(entries, key=lambda item: str(item["name"])):
        try:
            found.append(_data_set(entry))
        except ConfigError as error:
            problems.append(error.what)
    if problems:
        raise ConfigError(
            "; ".join(problems), "give each data set a contract in ODCS v3 with roles in customProperties"
        )
    return found


def latest_snapshot(root: Path, data_set: DataSet) -> Snapshot | None:
    """The newest ingest under exactly this contract that validate and pii let pass, after hashing its bytes; else None.

    Raises:
        IntegrityError: the newest such snapshot does not match its manifest.
    """
    manifests = [(path, read_json(path)) for path in (root / "runs").glob("*/*/*/data/manifest.json")]
    ours = [(content["ended"], path) for path, content in manifests if _is_ingest_of(content, data_set)]
    passed = [(ended, path) for ended, path in ours if not refusals(path.parents[2])]
    if not passed:
        return None
    _, path = max(passed)
    manifest = verify_manifest(path.parent)
    pipeline = path.parents[3].name
    rows = path.parent / "data.parquet"
    return Snapshot(rows, manifest["digest"], manifest["run"], pipeline, int(manifest["rows"] or 0), manifest["ended"])


def refusals(run: Path) -> list[str]:
    """Why the rows of a run may not be offered: a judge's `fail`, or its absence."""
    results = [read_json(path) for path in run.glob("*/result.json")]
    decisions = {str(result["step"]): str(result["decision"]) for result in results}
    return [
        f"{judge}: {decisions.get(judge, 'did not run')}" for judge in JUDGES if decisions.get(judge, "fail") == "fail"
    ]


def _is_ingest_of(manifest: dict[str, Any], data_set: DataSet) -> bool:
    contract = manifest["inputs"].get("contract", {})
    return bool(manifest["step"] == "ingest" and contract.get("digest") == data_set.contract_digest)


def _data_set(entry: dict[str, Any]) -> DataSet:
    path = Path(entry["contract"])
    columns = _columns(path)
    by_role: dict[str, list[str]] = {}
    for column in columns:
        by_role.setdefault(_role(column), []).append(str(column["name"]))
    times = by_role.get("time", [])
    if len(times) > 1:
        raise ConfigError(f"{path}: columns {', '.join(times)} all have the role time, one may")
    return DataSet(
        name=str(entry["name"]),
        view=re.sub(r"[^a-z0-9]+", "_", str(entry["name"]).lower()).strip("_"),
        owner=str(entry["owner"]),
        contract=path,
        contract_digest=digest_file(path),
        keys=tuple(by_role.get("entity", [])),
        time=times[0] if times else None,
        features=tuple(by_role.get("feature", [])),
    )


def _columns(path: Path) -> list[dict[str, Any]]:
    import yaml

    if not path.is_file():
        raise ConfigError(f"{path}: no such contract")
    try:
        return list(yaml.safe_load(path.read_text(encoding="utf-8"))["schema"][0]["properties"])
    except (yaml.YAMLError, KeyError, IndexError, TypeError) as error:
        raise ConfigError(f"{path}: not an ODCS contract ({type(error).__name__}: {error})") from None


def _role(column: dict[str, Any]) -> str:
    properties = column.get("customProperties") or []
    return next((str(item["value"]) for item in properties if item.get("property") == ROLE), "feature")
