"""From a definition to a plan: every reference resolved once, every file copied into the run."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlstep import platform as platforms
from mlstep.canonical import digest_file
from mlstep.errors import ConfigError
from mlstep.platform import Platform
from mlstep.runner.definition import Parameter, Pipeline, StepSpec
from mlstep.runner.references import Absent, resolve

DEFAULT_CLASSES: dict[str, dict[str, float]] = {
    "small": {"cpu": 1, "memory_gib": 2},
    "large": {"cpu": 2, "memory_gib": 8},
}
INPUTS = "inputs"


@dataclass(frozen=True)
class Start:
    """What the caller of a run chose."""

    root: Path
    run: str
    author: str
    parameters: dict[str, str]
    model: str | None = None
    until: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class PlannedStep:
    """A step with nothing left to resolve.

    Attributes:
        inputs: input -> absolute path, or `step:output` for another step's output in the same run.
        cpu, memory_gib: what it may use.
    """

    name: str
    step: str
    inputs: dict[str, str]
    outputs: list[str]
    config: dict[str, Any]
    needs: list[str]
    cpu: float
    memory_gib: float
    timeout_seconds: float | None
    retries: int
    on_fail: str
    uses: list[str]


def open_platform(root: Path) -> Platform | None:
    """The platform at a root; None for a folder that is only used to run pipelines in."""
    return platforms.load(root) if (root / "platform" / "foundation.json").is_file() else None


def make_plan(
    pipeline: Pipeline, start: Start, folder: Path, platform: Platform | None
) -> tuple[list[PlannedStep], dict[str, Any]]:
    """Resolve a definition; return the steps in order, and what the run's record says about its parameters.

    Raises:
        ConfigError: an unknown or wrong parameter, a reference without a value, or an unknown compute class.
        IntegrityError: the champion's history or bytes do not verify.
    """
    check_names(pipeline, start.parameters)
    scope = _Scope(pipeline, start, folder, platform)
    wanted = pipeline.until(start.until) if start.until else {spec.name for spec in pipeline.steps}
    steps = [_plan_step(spec, scope) for spec in pipeline.steps if spec.name in wanted]
    facts = {
        "parameters": scope.shown,
        "files": scope.files,
        "model": scope.model_or_none(),
        "champion": scope.champion_facts(),
    }
    return steps, facts


def from_record(record: Mapping[str, Any]) -> list[PlannedStep]:
    """The plan of a run that was started before."""
    return [PlannedStep(**entry) for entry in record["plan"]]


def to_record(steps: list[PlannedStep]) -> list[dict[str, Any]]:
    """The plan as it is kept in `run.json`."""
    return [asdict(step) for step in steps]


def check_names(pipeline: Pipeline, given: Mapping[str, str]) -> None:
    """Refuse parameters that a caller cannot set.

    Raises:
        ConfigError: all of them, and those that exist.
    """
    open_to_callers = sorted(name for name, parameter in pipeline.parameters.items() if not parameter.fixed)
    problems = [f"{name}: no such parameter" for name in given if name not in pipeline.parameters]
    problems += [
        f"{name}: fixed by the definition"
        for name in given
        if name in pipeline.parameters and pipeline.parameters[name].fixed
    ]
    if problems:
        raise ConfigError(
            f"pipeline {pipeline.name}: " + "; ".join(problems), f"parameters: {', '.join(open_to_callers) or 'none'}"
        )


def _plan_step(spec: StepSpec, scope: "_Scope") -> PlannedStep:
    inputs = {}
    for name, value in spec.inputs.items():
        if not value.startswith("${"):
            inputs[name] = value.replace(".", ":", 1)
            continue
        try:
            inputs[name] = str(resolve(value, scope.lookup))
        except Absent:
            continue
    cpu, memory = scope.resources(spec)
    return PlannedStep(
        name=spec.name,
        step=spec.step,
        inputs=inputs,
        outputs=list(spec.outputs),
        config=resolve(spec.config, scope.lookup),
        needs=list(spec.needs),
        cpu=cpu,
        memory_gib=memory,
        timeout_seconds=spec.timeout_seconds,
        retries=spec.retries,
        on_fail=spec.on_fail,
        uses=list(spec.uses),
    )


class _Scope:
    """The values of references, found when first asked for and kept."""

    def __init__(self, pipeline: Pipeline, start: Start, folder: Path, platform: Platform | None) -> None:
        self.pipeline = pipeline
        self.start = start
        self.folder = folder
        self.platform = platform
        self.shown: dict[str, Any] = {}
        self.files: dict[str, dict[str, str]] = {}
        self._values: dict[str, Any] = {}
        self._champion: Any = None
        self._champion_read = False
        self._groups: dict[str, Callable[[str], Any]] = {
            "parameters": self._parameters,
            "run": self._run,
            "model": self._model,
            "champion": self._champion_value,
            "data": self._data,
            "platform": self._platform,
        }

    def lookup(self, name: str) -> Any:
        """The value behind `group.name`, None where there is none."""
        group, _, rest = name.partition(".")
        if name not in self._values:
            self._values[name] = self._groups[group](rest)
        return self._values[name]

    def resources(self, spec: StepSpec) -> tuple[float, float]:
        """Cores and GiB of a step."""
        if isinstance(spec.resources, dict):
            return spec.resources["cpu"], spec.resources["memory_gib"]
        classes = DEFAULT_CLASSES
        if self.platform is not None and self.platform.has("pipelines"):
            classes = self.platform.stage("pipelines").get("compute_classes") or DEFAULT_CLASSES
        if spec.resources not in classes:
            raise ConfigError(
                f"step {spec.name}: compute class {spec.resources!r} is not known",
                f"classes: {', '.join(sorted(classes))}",
            )
        return float(classes[spec.resources]["cpu"]), float(classes[spec.resources]["memory_gib"])

    def model_or_none(self) -> str | None:
        """The model's name, when there is a contract to name it, or a caller did."""
        return self.start.model or (str(self._model("name")) if "contract" in self.pipeline.parameters else None)

    def champion_facts(self) -> dict[str, Any] | None:
        """Which champion the run was compared with."""
        entry = self._champion
        return None if entry is None else {"version": entry.version, "digest": entry.model_digest}

    def _parameters(self, name: str) -> Any:
        parameter = self.pipeline.parameters[name]
        own = name in self.start.parameters
        value = self.start.parameters[name] if own else resolve(parameter.default, self.lookup)
        if value is None:
            raise ConfigError(
                f"pipeline {self.pipeline.name}: parameter {name} has no value", f"give --parameter {name}=…"
            )
        beside = Path.cwd() if own else self.pipeline.path.parent
        self.shown[name] = _shown(value, parameter, beside)
        if parameter.type == "file":
            return self._freeze(name, Path(self.shown[name]))
        return self.shown[name]

    def _freeze(self, name: str, source: Path) -> str:
        """Copy a file into the run, so that a run and its resumption read the same bytes."""
        if not source.is_file():
            raise ConfigError(f"parameter {name}: {source}: no such file", f"give --parameter {name}=FILE")
        target = self.folder / INPUTS / name / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        self.files[name] = {"source": str(source), "path": str(target), "sha256": digest_file(target)}
        return str(target)

    def _run(self, name: str) -> Any:
        start = self.start
        values = {
            "id": start.run, "pipeline": self.pipeline.name, "author": start.author,
            "root": str(start.root), "folder": str(self.folder),
        }  # fmt: skip
        return values[name]

    def _model(self, name: str) -> Any:
        if self.start.model is not None:
            return self.start.model
        if "contract" not in self.pipeline.parameters:
            return self.pipeline.name
        from mlstep.contracts import read_contract

        return read_contract(Path(self.lookup("parameters.contract"))).model

    def _champion_entry(self) -> Any:
        if not self._champion_read:
            from mlstep import history

            self._champion_read = True
            model = str(self.lookup("model.name"))
            self._champion = None if self.platform is None else history.current(self.platform, model)
        return self._champion

    def _champion_value(self, name: str) -> Any:
        entry = self._champion_entry()
        if entry is None:
            return None
        if name == "model":
            from mlstep import store

            return str(store.verify(self.start.root, entry.model_digest))
        return entry.version if name == "version" else entry.model_digest

    def _data(self, name: str) -> Any:
        if self.platform is None or not self.platform.has("governance"):
            return None
        data = self.platform.stage("governance").get("data") or []
        if not data:
            return None
        # The declared freshness is about the declared source, not about a file somebody tries out.
        if name == "freshness_hours" and "source" in self.start.parameters:
            return None
        return data[0].get(name)

    def _platform(self, name: str) -> Any:
        stage, _, key = name.partition(".")
        if self.platform is None or not self.platform.has(stage):
            return None
        return self.platform.stage(stage).get(key)


def _shown(value: Any, parameter: Parameter, beside: Path) -> Any:
    """A parameter's value in its type; paths are absolute, from where the caller stands or beside the definition."""
    text = str(value)
    if parameter.type == "file" or (parameter.type == "source" and ":" not in text.split("/", 1)[0]):
        path = Path(text).expanduser()
        return str(path if path.is_absolute() else (beside / path).resolve())
    if parameter.type in ("text", "source"):
        return text
    if parameter.type == "boolean":
        answers = {"true": True, "false": False}
        if text.lower() not in answers:
            raise ConfigError(f"parameter {parameter.name}: {text!r} is no boolean", "write true or false")
        return answers[text.lower()]
    try:
        return int(text) if parameter.type == "integer" else float(text)
    except ValueError:
        raise ConfigError(f"parameter {parameter.name}: {text!r} is no {parameter.type}", "write a number") from None
