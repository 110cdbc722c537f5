"""Ingest: copy the source into a frozen snapshot and judge its age."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from mlstep.canonical import now, pretty, write_atomic
from mlstep.contracts import DataContract, read_contract
from mlstep.data.frames import schema_of, write_rows
from mlstep.data.read import read_source
from mlstep.step import Context, Decision, StepResult

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class IngestConfig:
    """Configuration of ingest.

    Attributes:
        source: path of a CSV or Parquet file, or `synthetic:credit?rows=…`.
        encoding: of a CSV file.
        freshness_hours: largest age of the newest row; the stricter of this and the contract's counts.
    """

    source: str
    encoding: str = "utf-8"
    freshness_hours: float | None = None


class Ingest:
    """Read the source once; all later steps read the snapshot."""

    name: ClassVar[str] = "ingest"
    config_type: ClassVar[type] = IngestConfig
    inputs: ClassVar[tuple[str, ...]] = ("contract",)
    optional_inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ("data",)

    def run(self, ctx: Context[IngestConfig]) -> StepResult:
        """Write `data.parquet` and `source.json`."""
        contract = read_contract(ctx.inputs["contract"])
        moment = now()
        source = read_source(ctx.config.source, contract, ctx.config.encoding, moment)
        write_rows(source.frame, ctx.outputs["data"])
        origin = {"uri": source.uri, "kind": source.kind, "sha256": source.sha256, "rows": source.frame.height}
        write_atomic(ctx.outputs["data"] / "source.json", pretty(origin))
        metrics = {"rows": float(source.frame.height), "columns": float(source.frame.width)}
        reasons = [] if source.frame.height else [f"{source.uri} has no rows"]
        age = age_hours(source.frame, contract, moment)
        if age is not None:
            metrics["age_hours"] = round(age, 3)
            reasons += _too_old(age, contract, ctx.config.freshness_hours)
        decision: Decision = "fail" if reasons else "pass"
        return StepResult(decision, metrics, reasons, {"data": source.frame.height}, {"data": schema_of(source.frame)})


def age_hours(frame: "pl.DataFrame", contract: DataContract, moment: datetime) -> float | None:
    """Age of the newest row in hours; None without a usable time column."""
    import polars as pl

    if contract.time is None or contract.time.name not in frame.columns:
        return None
    times = frame[contract.time.name]
    if times.dtype not in (pl.Datetime, pl.Date) or times.null_count() == len(times):
        return None
    newest = times.cast(pl.Datetime("us")).max()
    assert isinstance(newest, datetime)
    return (moment - newest.replace(tzinfo=UTC)).total_seconds() / 3600


def _too_old(age: float, contract: DataContract, configured: float | None) -> list[str]:
    limits = [limit for limit in (contract.freshness_hours, configured) if limit is not None]
    if not limits or age <= min(limits):
        return []
    owner = f"ask the owner of {contract.name} for newer data"
    return [f"the newest row is {age:.1f} hours old, {min(limits):g} are allowed: {owner}"]
