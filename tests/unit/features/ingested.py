"""A platform folder with ingested rows, written by the step runner itself."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from mlstep.platform import Platform, load
from mlstep.step import Context, Decision, NoConfig, StepResult, run_step

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: applications
status: active
name: applications
version: 1.0.0
schema:
  - name: applications
    properties:
      - {name: application_id, logicalType: string, customProperties: [{property: strata.role, value: entity}]}
      - {name: applied_at, logicalType: timestamp, customProperties: [{property: strata.role, value: time}]}
      - {name: income, logicalType: number}
      - {name: age, logicalType: integer}
      - {name: purpose, logicalType: string}
      - {name: home_owner, logicalType: boolean}
      - {name: age_band, logicalType: string, customProperties: [{property: strata.role, value: group}]}
      - {name: defaulted, logicalType: boolean, customProperties: [{property: strata.role, value: target}]}
"""
START = datetime(2026, 1, 1)  # noqa: DTZ001 - sources often know no time zone; theirs is UTC


def make_platform(root: Path, contract: str = CONTRACT) -> Platform:
    """A platform whose record names one data set, `applications`."""
    (root / "platform").mkdir(parents=True)
    path = root / "applications.odcs.yaml"
    path.write_text(contract, encoding="utf-8")
    data = {"name": "applications", "contract": str(path), "source": "x", "owner": "p.holm@bank.example"}
    stages: dict[str, dict[str, Any]] = {
        "foundation": {"workspace": "demo", "environment": "dev", "target": "local"},
        "governance": {"data": [{**data, "freshness_hours": 24}], "log_retention_days": 183},
    }
    for name, content in stages.items():
        (root / "platform" / f"{name}.json").write_text(json.dumps({"contract_version": 1, **content}))
    return load(root)


def rows(count: int, entities: int) -> pl.DataFrame:
    """Rows in which entities come back, three share each minute, and some values are missing."""
    return pl.DataFrame(
        {
            "application_id": [f"a{i % entities}" for i in range(count)],
            "applied_at": [START + timedelta(minutes=i // 3) for i in range(count)],
            "income": [None if i % 11 == 0 else 1000.5 + i for i in range(count)],
            "age": [None if i % 7 == 0 else 18 + i % 60 for i in range(count)],
            "purpose": [None if i % 5 == 0 else ("car", "home")[i % 2] for i in range(count)],
            "home_owner": [i % 3 == 0 for i in range(count)],
            "age_band": ["18-25"] * count,
            "defaulted": [i % 10 == 0 for i in range(count)],
        }
    )


def ingest(root: Path, run: str, frame: pl.DataFrame, **decisions: Decision) -> Path:
    """Write one run: ingest, then validate and pii with these decisions (default pass); return the data folder."""
    folder = root / "runs" / "credit" / run
    contract = root / "applications.odcs.yaml"
    data = folder / "ingest" / "data"
    run_step(_Ingest(frame), {}, {"contract": contract}, {"data": data}, folder / "ingest" / "result.json", run)
    for judge in ("validate", "pii"):
        step = _judge(judge, decisions.get(judge, "pass"))
        outputs = {"report": folder / judge / "report"}
        run_step(step, {}, {"data": data, "contract": contract}, outputs, folder / judge / "result.json", run)
    return data


class _Ingest:
    name: ClassVar[str] = "ingest"
    config_type: ClassVar[type] = NoConfig
    inputs: ClassVar[tuple[str, ...]] = ("contract",)
    optional_inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ("data",)

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def run(self, ctx: Context[NoConfig]) -> StepResult:
        """Write the rows it was made with."""
        self.frame.write_parquet(ctx.outputs["data"] / "data.parquet")
        return StepResult("pass", rows={"data": self.frame.height})


def _judge(judge: str, decision: Decision) -> Any:
    class Judge:
        name: ClassVar[str] = judge
        config_type: ClassVar[type] = NoConfig
        inputs: ClassVar[tuple[str, ...]] = ("data", "contract")
        optional_inputs: ClassVar[tuple[str, ...]] = ()
        outputs: ClassVar[tuple[str, ...]] = ("report",)

        def run(self, ctx: Context[NoConfig]) -> StepResult:
            """Decide as told."""
            ctx.write_report({"decision": decision})
            return StepResult(decision)

    return Judge()
