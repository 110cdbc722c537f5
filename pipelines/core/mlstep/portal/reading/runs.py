"""Runs as pages show them: steps with their state, time, inputs, outputs; and the reports inside."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlstep.canonical import MANIFEST, read_json
from mlstep.runner import records

STATES = {"passed": "pass", "warned": "warn", "failed": "fail"}


@dataclass(frozen=True)
class Output:
    """One output: its digest, rows and columns, from its manifest."""

    name: str
    digest: str
    rows: int | None
    columns: int | None
    bytes: int


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes:
        state: pass, warn, fail, running, waiting, crashed or stopped.
        needs: steps it waits for or reads from.
        inputs: input -> where it comes from, `step:output` or a file's name.
    """

    name: str
    state: str
    seconds: float | None
    attempts: int
    needs: tuple[str, ...]
    inputs: dict[str, str]
    outputs: tuple[Output, ...]
    reasons: tuple[str, ...]
    metrics: dict[str, float]
    peak_memory_mib: float | None
    has_log: bool


@dataclass(frozen=True)
class Run:
    """One run's record and steps."""

    folder: Path
    record: dict[str, Any]
    steps: tuple[Step, ...]

    @property
    def state(self) -> str:
        """Its state as a verdict's word where it is one."""
        return STATES.get(self.record["state"], str(self.record["state"]))

    @property
    def edges(self) -> list[tuple[str, str]]:
        """Which step feeds which."""
        return [(need, step.name) for step in self.steps for need in step.needs]

    def report(self, step: str) -> dict[str, Any] | None:
        """A step's report, None while it has none."""
        return _json(self.folder / step / "report" / "report.json")


def list_runs(root: Path, limit: int = 50) -> list[dict[str, Any]]:
    """Records of all pipelines' runs, newest first."""
    return records.list_runs(root, limit=limit)


def read_run(root: Path, pipeline: str, run: str) -> Run | None:
    """One run; None if there is none of this name."""
    folder = records.run_folder(root, pipeline, run)
    if not (folder / records.RUN_FILE).is_file():
        return None
    record = records.read_run(folder)
    return Run(
        folder, record, tuple(_step(folder, plan, record["steps"].get(plan["name"], {})) for plan in record["plan"])
    )


def candidates(root: Path, model: str) -> list[dict[str, Any]]:
    """Runs that registered a candidate of a model, newest first."""
    return [record for record in list_runs(root, 200) if (record.get("candidate") or {}).get("model") == model]


def find_version(root: Path, model: str, version: int) -> Run | None:
    """The run that registered a version of a model."""
    found = next((record for record in candidates(root, model) if record["candidate"]["version"] == version), None)
    return None if found is None else read_run(root, found["pipeline"], found["run"])


def evidence(run: Run) -> dict[str, Any] | None:
    """The gate's evidence of a run."""
    return _json(run.folder / "gate" / "evidence" / "evidence.json")


def _step(folder: Path, plan: dict[str, Any], entry: dict[str, Any]) -> Step:
    own = folder / plan["name"]
    result = _json(own / "result.json") or {}
    sources = [value.split(":", 1)[0] for value in plan["inputs"].values() if _is_step(value)]
    return Step(
        name=plan["name"],
        state=STATES.get(entry.get("state", "waiting"), entry.get("state", "waiting")),
        seconds=entry.get("seconds"),
        attempts=entry.get("attempts", 0),
        needs=tuple(sorted({*plan["needs"], *sources})),
        inputs={name: value if _is_step(value) else _shown(Path(value).name) for name, value in plan["inputs"].items()},
        outputs=tuple(_output(own / name) for name in plan["outputs"] if (own / name / MANIFEST).is_file()),
        reasons=tuple(entry.get("reasons") or result.get("reasons", ())),
        metrics=dict(result.get("metrics", {})),
        peak_memory_mib=entry.get("peak_memory_mib"),
        has_log=(own / "log.txt").is_file(),
    )


def _shown(name: str) -> str:
    """A file's name; a folder of the store is named by its digest, which is too long to read."""
    return f"sha256 {name[:12]}…" if len(name) == 64 and "." not in name else name


def _is_step(value: str) -> bool:
    return ":" in value and "/" not in value


def _output(folder: Path) -> Output:
    manifest = read_json(folder / MANIFEST)
    columns = None if manifest["schema"] is None else len(manifest["schema"])
    return Output(
        manifest["output"],
        manifest["digest"],
        manifest["rows"],
        columns,
        sum(file["bytes"] for file in manifest["files"]),
    )


def _json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    content: dict[str, Any] = read_json(path)
    return content
