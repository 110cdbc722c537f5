"""A platform in one look, as data: stages, processes, champions, alerts, runs, what waits for a person."""

from pathlib import Path
from typing import Any

from mlstep import history, store
from mlstep.alerts import intake
from mlstep.canonical import iso, now, read_json
from mlstep.errors import IntegrityError
from mlstep.evidence import health, reached
from mlstep.history import Entry
from mlstep.platform import Platform
from mlstep.runner import records

_RUNS = 5


def gather(platform: Platform) -> dict[str, Any]:
    """Everything `mlstep status` shows."""
    foundation = platform.stage("foundation")
    stages = reached.proofs(platform)
    runs = records.list_runs(platform.root, limit=200)
    models = [_model(platform, name) for name in _names(platform)]
    return {
        "time": iso(now()),
        "workspace": foundation["workspace"],
        "environment": foundation["environment"],
        "target": foundation["target"],
        "root": str(platform.root),
        "stage": {"configured": reached.configured(platform), "reached": reached.reached(stages), "stages": stages},
        "processes": health.processes(platform),
        "models": models,
        "alerts": [
            _alert(entry) for entry in sorted(intake.firing(platform.root), key=lambda entry: str(entry["startsAt"]))
        ],
        "runs": [_run(run) for run in runs[:_RUNS]],
        "waiting": [candidate for model in models for candidate in _waiting(model, runs)],
    }


def needs_attention(found: dict[str, Any]) -> list[str]:
    """What somebody should look at now, a sentence each."""
    down = [
        f"{process['name']} does not answer on port {process['port']}"
        for process in found["processes"]
        if process["state"] == "down"
    ]
    broken = [f"{model['name']}: {model['problem']}" for model in found["models"] if model["problem"]]
    behind = [
        f"{model['name']}: MLflow's alias is out of line, {model['alias']['detail']}"
        for model in found["models"]
        if (model["alias"] or {}).get("state") == "out of line"
    ]
    alerts = [f"alert: {alert['summary']}" for alert in found["alerts"]]
    return [*down, *broken, *behind, *alerts]


def _names(platform: Platform) -> list[str]:
    default = platform.stages.get("registry", {}).get("default_model")
    return sorted({*history.models(platform.root), *([default] if default else [])})


def _model(platform: Platform, name: str) -> dict[str, Any]:
    known: dict[str, Any] = {"name": name, "champion": None, "metrics": {}, "alias": None, "problem": None}
    try:
        entry = history.current(platform, name)
        path = None if entry is None else store.verify(platform.root, entry.model_digest)
    except IntegrityError as error:
        return {**known, "problem": error.what}
    if entry is None or path is None:
        return known
    champion = {
        "version": entry.version,
        "digest": entry.model_digest,
        "since": entry.time,
        "by": entry.by,
        "author": entry.author,
        "kind": entry.kind,
    }
    return {
        **known,
        "champion": champion,
        "metrics": _metrics(platform.root, entry, path),
        "alias": health.alias(platform, entry),
    }


def _metrics(root: Path, entry: Entry, model: Path) -> dict[str, Any]:
    """The evaluation's AUC with its interval, else what the model says of itself."""
    report = root / "runs" / entry.pipeline / entry.run / "evaluate" / "report" / "report.json"
    if report.is_file():
        return {"auc": read_json(report)["auc"]}
    metrics: dict[str, Any] = read_json(model / "model.json").get("metrics", {})
    return metrics


def _alert(entry: dict[str, Any]) -> dict[str, Any]:
    labels, words = entry["labels"], entry["annotations"]
    return {
        "model": labels.get("model"),
        "signal": labels.get("signal"),
        "subject": labels.get("subject"),
        "severity": labels.get("severity"),
        "owner": labels.get("owner"),
        "summary": words.get("summary", ""),
        "since": words.get("since", entry["startsAt"]),
        "runbook": words.get("runbook_url", ""),
    }


def _run(record: dict[str, Any]) -> dict[str, Any]:
    return {
        key: record.get(key)
        for key in ("pipeline", "run", "state", "author", "started", "ended", "reasons", "candidate")
    }


def _waiting(model: dict[str, Any], runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Candidates newer than the champion whose run ended well."""
    newest = (model["champion"] or {}).get("version", 0)
    ours = [
        run for run in runs if (run.get("candidate") or {}).get("model") == model["name"] and run["state"] == "passed"
    ]
    return [
        {**run["candidate"], "run": run["run"], "pipeline": run["pipeline"], "author": run["author"]}
        for run in ours
        if run["candidate"]["version"] > newest
    ]
