"""The model folder, written: the same model gives the same bytes."""

import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlstep.canonical import pretty, write_atomic
from mlstep.model import DESCRIPTION_FILE, MODEL_FILE, MODEL_VERSION, PROFILE_FILE, Description

SIGNATURE_FILE = "signature.json"
CALIBRATION_FILE = "calibration.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # The earliest time a ZIP archive can hold.
_SCHEMA = "schema.json"


def write(
    folder: Path, description: Description, estimator: Any, profile: dict[str, Any], calibration: dict[str, Any]
) -> None:
    """Write a model folder: description, estimator, training profile, calibration, signature.

    Raises:
        OSError: the folder cannot be written.
    """
    write_atomic(folder / MODEL_FILE, estimator_bytes(estimator))
    write_atomic(folder / PROFILE_FILE, pretty(profile))
    write_atomic(folder / CALIBRATION_FILE, pretty(calibration))
    write_atomic(folder / SIGNATURE_FILE, pretty(signature(description)))
    write_atomic(folder / DESCRIPTION_FILE, pretty({**asdict(description), "model_version": MODEL_VERSION}))


def estimator_bytes(estimator: Any) -> bytes:
    """A skops archive whose bytes depend on the estimator alone.

    skops names nodes and files by memory address and stamps them with the time; both are replaced by counters.
    """
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    numbers: dict[int, int] = {}
    schema = _renumber(json.loads(contents.pop(_SCHEMA)), numbers)
    members = {_renamed(name, numbers): data for name, data in contents.items()}
    members[_SCHEMA] = json.dumps(
        schema
    ).encode()  # Keys keep their order: skops stores their types as a list beside them.
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), members[name], zipfile.ZIP_DEFLATED)
    return target.getvalue()


def signature(description: Description) -> dict[str, Any]:
    """The inputs and the output of a model, in the words of an MLflow signature."""
    types = {"number": "double", "category": "string", "boolean": "boolean"}
    inputs = [{"name": f.name, "type": types[f.kind], "required": not f.missing_allowed} for f in description.features]
    return {"inputs": inputs, "outputs": [{"name": "score", "type": "double", "required": True}]}


def _renumber(node: Any, numbers: dict[int, int]) -> Any:
    if isinstance(node, list):
        return [_renumber(entry, numbers) for entry in node]
    if not isinstance(node, dict):
        return node
    renumbered: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__":
            renumbered[key] = numbers.setdefault(value, len(numbers) + 1)
        elif key == "file":
            renumbered[key] = _renamed(value, numbers)
        else:
            renumbered[key] = _renumber(value, numbers)
    return renumbered


def _renamed(name: str, numbers: dict[int, int]) -> str:
    stem, _, suffix = name.partition(".")
    return f"{numbers.setdefault(int(stem), len(numbers) + 1)}.{suffix}"
