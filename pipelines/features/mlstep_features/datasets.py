"""Which data sets become feature views: the governance record's data, read through their contracts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlstep.canonical import read_json
from mlstep.contracts.parse import read_contract, slug
from mlstep.errors import ConfigError
from mlstep.manifest import verify_manifest
from mlstep.platform import Platform

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
        return (
            f"{self.contract.name} has no column with the role {' and none with '.join(missing)}" if missing else None
        )


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
        raise ConfigError("\n".join(problems), "correct the contracts that the record names")
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
    contract = read_contract(Path(entry["contract"]))
    return DataSet(
        name=str(entry["name"]),
        view=slug(str(entry["name"])).replace("-", "_"),
        owner=str(entry["owner"]),
        contract=Path(entry["contract"]),
        contract_digest=contract.sha256,
        keys=(contract.entity.name,) if contract.entity else (),
        time=contract.time.name if contract.time else None,
        features=tuple(column.name for column in contract.features),
    )
