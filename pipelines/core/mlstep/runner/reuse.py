"""Which steps of an earlier attempt still count: those whose every byte, input and configuration verifies."""

from pathlib import Path
from typing import Any

from mlstep.canonical import digest_file, digest_json, read_json
from mlstep.errors import IntegrityError
from mlstep.manifest import verify_manifest
from mlstep.runner.plan import PlannedStep


def reusable(folder: Path, step: PlannedStep, record: dict[str, Any]) -> dict[str, Any] | None:
    """A step's result when it need not run again, else None; sets the step's state in the record accordingly."""
    entry = record["steps"][step.name]
    result = _valid_result(folder, step, record)
    if result is None:
        entry["state"] = "waiting"
        return None
    entry["state"] = {"pass": "passed", "warn": "warned", "fail": "failed"}[result["decision"]]
    return result


def _valid_result(folder: Path, step: PlannedStep, record: dict[str, Any]) -> dict[str, Any] | None:
    file = folder / step.name / "result.json"
    if not file.is_file() or any(record["steps"].get(name, {}).get("state") == "waiting" for name in step.needs):
        return None
    result: dict[str, Any] = read_json(file)
    if result["decision"] == "fail" and step.on_fail == "stop":
        return None
    try:
        manifests = [verify_manifest(folder / step.name / name) for name in step.outputs]
    except IntegrityError:
        return None  # Changed or incomplete: it is made again.
    if any(manifest["digest"] != result["outputs"].get(manifest["output"]) for manifest in manifests):
        return None
    if any(manifest["config_digest"] != digest_json(step.config) for manifest in manifests):
        return None
    same = all(_same_inputs(folder, step, record, manifest) for manifest in manifests)
    return result if same else None


def _same_inputs(folder: Path, step: PlannedStep, record: dict[str, Any], manifest: dict[str, Any]) -> bool:
    if set(manifest["inputs"]) != set(step.inputs):
        return False
    return all(
        described["digest"] == _digest(folder, step.inputs[name], record)
        for name, described in manifest["inputs"].items()
    )


def _digest(folder: Path, value: str, record: dict[str, Any]) -> str | None:
    source, colon, output = value.partition(":")
    if colon and source in record["steps"]:
        found: dict[str, Any] = read_json(folder / source / "result.json")
        return str(found["outputs"][output])
    path = Path(value)
    return digest_file(path) if path.is_file() else path.name  # A folder of the store is named by its digest.
