"""Step register: the model's bytes into the write-once store, the candidate into MLflow."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from mlstep import store
from mlstep.canonical import MANIFEST, digest_json, iso, now, read_json
from mlstep.errors import ConfigError
from mlstep.gate_policy import REPORTS
from mlstep.model import Description, load_description
from mlstep.step import Context, StepResult
from mlstep_train.tracking import Tracking, connect


@dataclass(frozen=True)
class RegisterConfig:
    """Who registers what, where.

    Attributes:
        author: who trained the model; may not approve it later.
        root: the platform folder, which holds the store.
        pipeline: MLflow's experiment.
        model: the name that the pipeline expects the model to have; None takes the model's own.
        attempts: tries of a request that does not reach MLflow.
    """

    author: str
    root: str
    pipeline: str = "manual"
    model: str | None = None
    attempts: int = 7


class Register:
    """Register a candidate; the same bytes from the same run are registered once."""

    name: ClassVar[str] = "register"
    config_type: ClassVar[type] = RegisterConfig
    inputs: ClassVar[tuple[str, ...]] = ("model",)
    optional_inputs: ClassVar[tuple[str, ...]] = REPORTS
    outputs: ClassVar[tuple[str, ...]] = ("candidate",)

    def run(self, ctx: Context[RegisterConfig]) -> StepResult:
        """Store the bytes, log the run, make the version.

        Raises:
            ConfigError: no author, no store, no tracking server, or a model of another name.
            UnavailableError: MLflow does not answer; nothing is lost, the step may run again.
        """
        description = load_description(ctx.inputs["model"])
        _check(ctx.config, description)
        tracking = connect(ctx.config.attempts)
        digest = store.put(Path(ctx.config.root), ctx.inputs["model"])
        reports = {name: ctx.report(name) for name in REPORTS if ctx.has(name)}
        lineage = read_json(ctx.inputs["model"] / MANIFEST)
        run = _log_run(ctx, tracking, description, digest, lineage, reports)
        candidate = f"{description.name}-candidate"
        tags = {"strata.digest": digest, "strata.run": ctx.run_id, "strata.author": ctx.config.author}
        version = tracking.version(candidate, store.uri(digest), run, tags)
        content = {
            "model": description.name,
            "version": version,
            "digest": digest,
            "author": ctx.config.author,
            "run": ctx.run_id,
            "pipeline": ctx.config.pipeline,
            "registered_model": candidate,
            "mlflow_version": version,
            "mlflow_run_id": run,
            "data": {name: entry["digest"] for name, entry in sorted(lineage["inputs"].items())},
            "reports": {name: ctx.origins[name]["digest"] for name in sorted(reports)},
            "contract": dict(description.contract),
            "registered": iso(now()),
        }
        ctx.write_report(content, output="candidate", file="candidate.json")
        return StepResult(
            "pass",
            {"version": float(version)},
            [f"{description.name} v{version}, sha256 {digest[:12]}, trained by {ctx.config.author}"],
        )


def _check(config: RegisterConfig, description: Description) -> None:
    problems = []
    if not config.author.strip():
        problems.append("author is empty: an approver must be somebody else, so it has to be known")
    if not (Path(config.root) / "artifacts").is_dir():
        problems.append(f"root {config.root} has no folder artifacts: it is no platform folder")
    if config.model is not None and config.model != description.name:
        problems.append(f"the model is called {description.name} by its data contract, and {config.model} is expected")
    if problems:
        raise ConfigError(
            "step register: " + "; ".join(problems), "correct the configuration, or strata.model in the contract"
        )


def _log_run(
    ctx: Context[RegisterConfig],
    tracking: Tracking,
    description: Description,
    digest: str,
    lineage: dict[str, Any],
    reports: dict[str, Any],
) -> str:
    """Make, or find again, the run in MLflow, with parameters, metrics and the digests of its data."""
    started, ended = _milliseconds(lineage["started"]), _milliseconds(lineage["ended"])
    experiment = tracking.experiment(ctx.config.pipeline)
    run = tracking.run(experiment, ctx.run_id, {"strata.run": ctx.run_id, "strata.digest": digest}, started)
    tags = {
        "strata.author": ctx.config.author,
        "strata.git_commit": str(lineage["git_commit"]),
        "strata.code_digest": str(lineage["code_digest"]),
        "strata.reports": digest_json({name: ctx.origins[name]["digest"] for name in reports}),
        **{f"strata.decision.{name}": str(report.get("decision", "none")) for name, report in reports.items()},
    }
    tracking.log(run, _parameters(description), _metrics(description, reports), tags, ended)
    for name, entry in sorted(lineage["inputs"].items()):
        context = {"train": "training", "valid": "validation"}.get(name, name)
        tracking.log_dataset(run, f"{description.contract['name']}-{name}", entry["digest"], entry["uri"], context)
    tracking.finish(run, ended)
    return run


def _parameters(description: Description) -> dict[str, str]:
    return {
        "algorithm": description.algorithm,
        "seed": str(description.seed),
        "threshold": f"{description.threshold:.6f}",
        "features": str(len(description.features)),
        "target": f"{description.target}={description.positive}",
        "contract": f"{description.contract['name']} {description.contract['version']}",
        "contract_sha256": str(description.contract["sha256"]),
    }


def _metrics(description: Description, reports: dict[str, Any]) -> dict[str, float]:
    """The model's own metrics and every number of the evaluation, one level deep."""
    metrics = {f"train.{key}": float(value) for key, value in description.metrics.items()}
    for key, value in (reports.get("evaluate") or {}).items():
        entries = value if isinstance(value, dict) else {"": value}
        for inner, number in entries.items():
            if isinstance(number, int | float) and not isinstance(number, bool):
                metrics[f"evaluate.{key}.{inner}".rstrip(".")] = float(number)
    return metrics


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)
