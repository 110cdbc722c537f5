"""What is known of runs: `run.json` and `events.jsonl` in each run's folder, for whoever runs, starts or shows them."""

import json
import os
from pathlib import Path
from typing import Any

from mlstep.canonical import iso, now, pretty, read_json, write_atomic
from mlstep.errors import ConfigError
from mlstep.runner.identifiers import is_run_id
from mlstep.runner.lock import holder

RUN_FILE = "run.json"
EVENTS_FILE = "events.jsonl"


def run_folder(root: Path, pipeline: str, run: str) -> Path:
    """Where a run keeps everything."""
    return root / "runs" / pipeline / run


def find_run(root: Path, run: str, pipeline: str | None = None) -> Path:
    """The folder of a run; `last` is the newest of the pipeline.

    Raises:
        ConfigError: no such run, or not the form of a run's name.
    """
    if run == "last":
        folders = sorted(folder.parent for folder in (root / "runs").glob(f"{pipeline or '*'}/*/{RUN_FILE}"))
        if not folders:
            raise ConfigError(f"{root}: no run of {pipeline or 'any pipeline'} yet", "start one with `mlstep run`")
        return max(folders, key=lambda folder: folder.name)
    found = (
        [file.parent for file in (root / "runs").glob(f"{pipeline or '*'}/{run}/{RUN_FILE}")] if is_run_id(run) else []
    )
    if not found:
        raise ConfigError(
            f"run {run}: not known below {root / 'runs'}", "list runs with `strata status`, or write `last`"
        )
    return found[0]


def read_run(folder: Path) -> dict[str, Any]:
    """One run's record; its state is `crashed` when it says `running` and no process holds its lock."""
    record: dict[str, Any] = read_json(folder / RUN_FILE)
    if record["state"] == "running" and not is_alive(folder, record):
        return {**record, "state": "crashed", "reasons": ["the run's process vanished; resume it"]}
    return record


def list_runs(root: Path, pipeline: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """Records of runs, newest first."""
    folders = sorted(
        (file.parent for file in (root / "runs").glob(f"{pipeline or '*'}/*/{RUN_FILE}")),
        key=lambda folder: folder.name,
    )
    return [read_run(folder) for folder in folders[::-1][:limit]]


def is_alive(folder: Path, record: dict[str, Any]) -> bool:
    """Whether a process holds the pipeline's lock for this very run."""
    held = holder(folder.parent)
    return held is not None and held.get("run") == record["run"]


def mark_vanished(root: Path) -> list[str]:
    """Write `crashed` into every record that says `running` without a process behind it; return their names."""
    vanished = []
    for file in sorted((root / "runs").glob(f"*/*/{RUN_FILE}")):
        stored, current = read_json(file), read_run(file.parent)
        if stored["state"] == current["state"]:
            continue
        for step in current["steps"].values():
            if step["state"] == "running":
                step["state"] = "crashed"
        write_run(file.parent, {**current, "ended": iso(now())})
        append_event(
            file.parent,
            {
                "type": "run-finished",
                "time": iso(now()),
                "run": current["run"],
                "state": "crashed",
                "reasons": current["reasons"],
            },
        )
        vanished.append(str(current["run"]))
    return vanished


def write_run(folder: Path, record: dict[str, Any]) -> None:
    """Replace `run.json`; waits for the disk once the run has ended, until then the steps' results tell as much."""
    write_atomic(folder / RUN_FILE, pretty(record), durable=record["state"] != "running")


def append_event(folder: Path, event: dict[str, Any]) -> None:
    """Append one line to `events.jsonl`, in one write."""
    handle = os.open(folder / EVENTS_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, (json.dumps(event, sort_keys=True, ensure_ascii=False) + "\n").encode())
    finally:
        os.close(handle)


def read_events(folder: Path, last: int | None = None) -> list[dict[str, Any]]:
    """Events of a run, oldest first; a line cut off by a full disk is left out."""
    file = folder / EVENTS_FILE
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    chosen = lines if last is None else lines[-last:] if last else []
    return [json.loads(line) for line in chosen if line.endswith("}")]
