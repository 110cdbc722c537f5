"""What is built, read from the platform folder that both planes share (docs/architecture.md, section 2)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stacks.commands.failure import Failure
from stacks.record import Record


@dataclass(frozen=True)
class Champion:
    """Who answers for a model now."""

    model: str
    version: int
    digest: str
    by: str
    role: str
    demo_key: bool
    metrics: dict[str, Any] = field(default_factory=dict)

    def sentence(self) -> str:
        """Return name, version, signer and the metric that was judged."""
        signed = (
            f"signed by {self.by}" + (f" ({self.role})" if self.role else "") + (" demo key" if self.demo_key else "")
        )
        return "  ".join(part for part in (f"{self.model} v{self.version}", signed, metric_text(self.metrics)) if part)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "model": self.model,
            "version": self.version,
            "digest": self.digest,
            "by": self.by,
            "role": self.role,
            "metrics": self.metrics,
        }


def stage_file(record: Record, stage: str) -> dict[str, Any] | None:
    """Return what a stage tells the run-time plane, or None when the platform has not this stage.

    Raises:
        Failure: the file is there and cannot be read.
    """
    path = record.root / "platform" / f"{stage}.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Failure(f"{path} cannot be read", str(error), f"strata up {record.stack_name}") from None
    return content


def addresses(record: Record) -> list[tuple[str, str, str]]:
    """Return name, URL and one remark for everything a person may open."""
    registry = stage_file(record, "registry") or {}
    found = [
        ("Portal", registry.get("portal_uri"), "models, data, dashboards, policies"),
        ("MLflow", registry.get("tracking_uri"), "user audit, password: strata secret mlflow"),
        ("Service", _docs(registry.get("prediction_service")), "the prediction API"),
    ]
    features = stage_file(record, "feature_store") or {}
    found.append(("Features", features.get("feature_server"), "the feature server"))
    return [(name, str(url), note) for name, url, note in found if url]


def champions(record: Record) -> list[Champion]:
    """Return the champion of every model, from the last line of its history.

    The history is verified by whoever acts on it (`strata trace`, `strata status`, the service); here it is only shown.
    """
    found = []
    for path in sorted((record.root / "champions").glob("*/history.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines()
        if lines:
            found.append(_champion(record, path.parent, json.loads(lines[-1])))
    return found


def last_run(record: Record, pipeline: str) -> dict[str, Any] | None:
    """Return the record of a pipeline's newest run, or None; names of runs sort by time."""
    files = sorted((record.root / "runs" / pipeline).glob("*/run.json"))
    if not files:
        return None
    content: dict[str, Any] = json.loads(files[-1].read_text(encoding="utf-8"))
    return content


def _champion(record: Record, folder: Path, entry: dict[str, Any]) -> Champion:
    signer = _signer(record, str(entry.get("by", "")))
    return Champion(
        model=str(entry["model"]),
        version=int(entry["version"]),
        digest=str(entry["model_digest"]),
        by=str(entry.get("by", "")),
        role=str(signer.get("role", "")),
        demo_key=bool(signer.get("demo")),
        metrics=_metrics(record, entry),
    )


def _signer(record: Record, name: str) -> dict[str, Any]:
    foundation = stage_file(record, "foundation") or {}
    return next((entry for entry in foundation.get("signers", []) if entry.get("name") == name), {})


def _metrics(record: Record, entry: dict[str, Any]) -> dict[str, Any]:
    """Return what the run behind a champion measured on rows that training never saw."""
    path = record.root / "runs" / str(entry.get("pipeline")) / str(entry.get("run")) / "evaluate" / "result.json"
    if not path.is_file():
        return {}
    metrics = json.loads(path.read_text(encoding="utf-8")).get("metrics")
    return metrics if isinstance(metrics, dict) else {}


def metric_text(metrics: dict[str, Any]) -> str:
    """Return the metric that people ask for first, with its interval where there is one."""
    value, low, high = (metrics.get(name) for name in ("auc", "auc_low", "auc_high"))
    if not isinstance(value, int | float):
        return ""
    interval = f" [{low:.3f}, {high:.3f}]" if isinstance(low, int | float) and isinstance(high, int | float) else ""
    return f"AUC {value:.3f}{interval}"


def _docs(url: Any) -> str | None:
    return f"{str(url).rstrip('/')}/docs" if url else None
