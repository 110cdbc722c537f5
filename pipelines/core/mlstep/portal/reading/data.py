"""Data sets as pages show them: the contract, whether its promise was kept, quality and personal data by run, users."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlstep.canonical import now, read_json
from mlstep.contracts import DataContract, read_contract
from mlstep.errors import ConfigError
from mlstep.platform import Platform
from mlstep.portal.reading import runs

_MOST_RUNS = 50


@dataclass(frozen=True)
class Ingest:
    """One delivery: the run that took it, and what was found in it."""

    run: dict[str, Any]
    time: datetime
    rows: int | None
    digest: str
    contract: str | None
    age_hours: float | None
    validate: dict[str, Any] | None
    pii: dict[str, Any] | None

    def in_time(self, limit_hours: float) -> bool:
        """Whether its newest row was young enough when it was taken."""
        return self.age_hours is None or self.age_hours <= limit_hours


@dataclass(frozen=True)
class DataSet:
    """One data set of the record; `contract` is None when it cannot be read, and `problem` says why."""

    name: str
    owner: str
    source: str
    freshness_hours: float | None
    path: str
    contract: DataContract | None
    problem: str | None
    ingests: list[Ingest]

    @property
    def age_hours(self) -> float | None:
        """Age of the newest row by now, in hours; without a time column, of the newest delivery."""
        if not self.ingests:
            return None
        newest = self.ingests[0]
        return (newest.age_hours or 0.0) + max((now() - newest.time).total_seconds(), 0.0) / 3600

    @property
    def sla(self) -> str:
        """Whether rows were young enough when taken, and are still: kept, missed, late, or what is not known."""
        if self.freshness_hours is None:
            return "no promise"
        if self.age_hours is None:
            return "no delivery yet"
        if not self.ingests[0].in_time(self.freshness_hours):
            return "missed"
        return "kept" if self.age_hours <= self.freshness_hours else "late"

    @property
    def users(self) -> list[str]:
        """Models that were trained on it."""
        return sorted({str(ingest.run["model"]) for ingest in self.ingests if ingest.run.get("model")})


def read_all(platform: Platform) -> list[DataSet]:
    """Every data set of the record."""
    entries = platform.stage("governance")["data"] if platform.has("governance") else []
    recent = runs.list_runs(platform.root, _MOST_RUNS)
    return [_data_set(platform, entry, recent) for entry in entries]


def _data_set(platform: Platform, entry: dict[str, Any], recent: list[dict[str, Any]]) -> DataSet:
    contract, problem = None, None
    try:
        contract = read_contract(Path(entry["contract"]))
    except ConfigError as error:
        problem = str(error)
    ingests = [found for record in recent if (found := _ingest(platform.root, record)) is not None]
    name = contract.name if contract else entry["name"]
    ours = [ingest for ingest in ingests if _is_ours(ingest, contract, str(name))]
    return DataSet(
        name=str(entry["name"]),
        owner=str(entry["owner"]),
        source=str(entry["source"]),
        freshness_hours=entry.get("freshness_hours"),
        path=str(entry["contract"]),
        contract=contract,
        problem=problem,
        ingests=ours,
    )


def _is_ours(ingest: Ingest, contract: DataContract | None, name: str) -> bool:
    """Taken under this contract, or under an earlier version of it."""
    if contract is not None and ingest.contract == contract.sha256:
        return True
    reports = [report["contract"]["name"] for report in (ingest.validate, ingest.pii) if report is not None]
    return name in reports


def _ingest(root: Path, record: dict[str, Any]) -> Ingest | None:
    run = runs.read_run(root, record["pipeline"], record["run"])
    manifest = None if run is None else run.folder / "ingest" / "data" / "manifest.json"
    if run is None or manifest is None or not manifest.is_file():
        return None
    content = read_json(manifest)
    taken = next((step for step in run.steps if step.name == "ingest"), None)
    return Ingest(
        run=record,
        time=datetime.fromisoformat(content["ended"]),
        rows=content["rows"],
        digest=content["digest"],
        contract=content["inputs"].get("contract", {}).get("digest"),
        age_hours=None if taken is None else taken.metrics.get("age_hours"),
        validate=run.report("validate"),
        pii=run.report("pii"),
    )
