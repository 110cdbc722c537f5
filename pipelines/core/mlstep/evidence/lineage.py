"""The links back through the pipeline run: every manifest, every input, the data and the code."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlstep.canonical import digest_file, read_json
from mlstep.errors import IntegrityError
from mlstep.evidence.links import Link, broken, judged, short
from mlstep.manifest import verify_manifest
from mlstep.platform import Platform


@dataclass(frozen=True)
class Output:
    """One output of one step, as its manifest describes it, and why its bytes do not match it, if so."""

    folder: Path
    manifest: dict[str, Any]
    problem: str | None = None

    @property
    def name(self) -> str:
        """`step/output`."""
        return f"{self.manifest['step']}/{self.manifest['output']}"


@dataclass(frozen=True)
class Lineage:
    """A run's outputs after hashing every byte, and everything that does not fit."""

    folder: Path
    outputs: list[Output]
    problems: list[str]

    def output(self, digest: str) -> Output | None:
        """The output with a digest."""
        return next((output for output in self.outputs if output.manifest["digest"] == digest), None)

    def first(self, step: str) -> Output | None:
        """An output of a step."""
        return next((output for output in self.outputs if output.manifest["step"] == step), None)

    def back_from(self, start: Output) -> list[Output]:
        """An output and all it was made from, within this run, each once."""
        found, waiting = [], [start]
        while waiting:
            output = waiting.pop(0)
            if output not in found:
                found.append(output)
                digests = [entry["digest"] for _, entry in sorted(output.manifest["inputs"].items())]
                waiting += [made for made in map(self.output, digests) if made is not None]
        return found


def read(root: Path, pipeline: str, run: str) -> Lineage | None:
    """Read and verify a run; None if its folder is gone.

    Every output's bytes must match its manifest, and every input that came from a step of this platform must be,
    digest for digest, an output that still exists.
    """
    folder = root / "runs" / pipeline / run
    if not all(re.fullmatch(r"[\w.:-]+", part) for part in (pipeline, run)) or not folder.is_dir():
        return None
    outputs, problems = [], []
    for path in sorted(folder.glob("*/*/manifest.json")):
        try:
            outputs.append(Output(path.parent, verify_manifest(path.parent)))
        except (IntegrityError, ValueError, KeyError) as error:
            problem = f"{path.parent.relative_to(folder)}: {getattr(error, 'what', error)}"
            problems.append(problem)
            outputs += _readable(path, problem)
    elsewhere = {output["digest"] for output in _other_outputs(root, folder, outputs)}
    known = {output.manifest["digest"] for output in outputs} | elsewhere
    for output in outputs:
        problems += _unknown_inputs(output, known)
    problems += _result_problems(folder, outputs)
    return Lineage(folder, outputs, problems)


def run_link(lineage: Lineage | None, pipeline: str, run: str) -> Link:
    """All manifests of the run that made the model."""
    facts: dict[str, Any] = {"pipeline": pipeline, "run": run}
    if lineage is None:
        return broken("run", f"pipeline {pipeline} run {run}: its folder is gone", **facts)
    count = len(lineage.outputs)
    if not count:
        return broken("run", f"pipeline {pipeline} run {run}: no manifest in its folder", **facts)
    verdict = (
        f"all {count} manifests verify"
        if not lineage.problems
        else f"{len(lineage.problems)} of its links do not verify"
    )
    facts |= {"manifests": count, "steps": sorted({output.manifest["step"] for output in lineage.outputs})}
    return judged("run", f"pipeline {pipeline} run {run} ({verdict})", facts, lineage.problems)


def data_link(platform: Platform, lineage: Lineage, model_digest: str) -> Link:
    """The rows the model was trained on, followed back from its bytes to the ingest."""
    made = lineage.output(model_digest)
    if made is None:
        return broken("data", f"no step of the run made the bytes {short(model_digest)}")
    ingest = next((output for output in lineage.back_from(made) if output.manifest["step"] == "ingest"), None)
    if ingest is None:
        return broken("data", "no ingest among what the model was made from")
    manifest = ingest.manifest
    contract = manifest["inputs"].get("contract", {}).get("digest")
    model = read_json(made.folder / "model.json")
    owned = _data_set(platform, contract, model["contract"]["name"])
    problems = [output.problem for output in (made, ingest) if output.problem is not None]
    if model["contract"]["sha256"] != contract:
        problems.append(
            f"ingested under contract {short(contract)}, the model says {short(model['contract']['sha256'])}"
        )
    owner = "owner not in the record" if owned is None else f"owner {owned['owner']}"
    name = model["contract"]["name"] if owned is None else owned["name"]
    detail = (
        f"{name} {manifest['ended'][:10]}  {manifest['rows']:,} rows  sha256 {short(manifest['digest'])}  "
        f"{owner}  contract v{model['contract']['version']}"
    )
    facts = {
        "digest": manifest["digest"],
        "rows": manifest["rows"],
        "contract": contract,
        "ingested": manifest["ended"],
        "owner": None if owned is None else owned["owner"],
        "data_set": name,
    }
    return judged("data", detail, facts, problems)


def code_link(lineage: Lineage, model_digest: str) -> Link:
    """The code of every step that the model went through; a run that was resumed after a correction shows two."""
    made = lineage.output(model_digest)
    if made is None:
        return broken("code", f"no step of the run made the bytes {short(model_digest)}")
    manifests = [output.manifest for output in lineage.back_from(made)]
    codes, commits, images = (
        {manifest[key] for manifest in manifests} for key in ("code_digest", "git_commit", "image_digest")
    )
    commit = ", ".join(sorted(short(entry) for entry in commits))
    image = (
        ", ".join(sorted(short(entry) for entry in images)) if images != {None} else "n/a (no container on this target)"
    )
    detail = f"commit {commit}  code sha256 {', '.join(sorted(map(short, codes)))}  image {image}"
    return judged(
        "code",
        detail,
        {
            "git_commits": sorted(map(str, commits)),
            "code_digests": sorted(codes),
            "image_digests": sorted(map(str, images)),
        },
        [],
    )


def _readable(path: Path, problem: str) -> list[Output]:
    """An output whose bytes do not match, so that the rest of the chain can still be shown."""
    try:
        manifest = read_json(path)
    except (OSError, ValueError):
        return []
    return (
        [Output(path.parent, manifest, problem)]
        if isinstance(manifest, dict) and {"step", "digest", "inputs"} <= manifest.keys()
        else []
    )


def _other_outputs(root: Path, folder: Path, outputs: list[Output]) -> list[dict[str, Any]]:
    """Manifests of other runs that this run's inputs name, such as the champion's model in a comparison."""
    ours = {output.manifest["run"] for output in outputs}
    wanted = {
        entry["run"] for output in outputs for entry in output.manifest["inputs"].values() if "run" in entry
    } - ours
    paths = [path for run in sorted(wanted) for path in sorted((root / "runs").glob(f"*/{run}/*/*/manifest.json"))]
    return [read_json(path) for path in paths]


def _unknown_inputs(output: Output, known: set[str]) -> list[str]:
    inputs = sorted(output.manifest["inputs"].items())
    return [
        f"{output.name}: its input {name} ({entry['step']} of run {entry['run']}, "
        f"sha256 {short(entry['digest'])}) is no output of that step"
        for name, entry in inputs
        if "step" in entry and entry["digest"] not in known
    ]


def _result_problems(folder: Path, outputs: list[Output]) -> list[str]:
    """Results that name other digests than the manifests do, and outputs without a result."""
    problems = []
    for step in sorted({output.folder.parent for output in outputs}):
        path = step / "result.json"
        if not path.is_file():
            problems.append(f"{step.name}: has outputs but no result")
            continue
        said = read_json(path).get("outputs", {})
        found = {
            output.manifest["output"]: output.manifest["digest"] for output in outputs if output.folder.parent == step
        }
        if said != found:
            problems.append(f"{step.name}: its result names other outputs than its manifests")
    return problems


def _data_set(platform: Platform, contract: str | None, name: str) -> dict[str, Any] | None:
    """The record's data set with this very contract, else the one of this name: a contract may have moved on since."""
    entries: list[dict[str, Any]] = platform.stage("governance")["data"] if platform.has("governance") else []
    files = [(entry, Path(entry["contract"])) for entry in entries]
    same = next((entry for entry, path in files if path.is_file() and digest_file(path) == contract), None)
    return same or next((entry for entry in entries if entry["name"] == name), None)
