"""`pipeline.yaml`, read once and checked whole: unknown keys, steps, inputs, outputs, references, cycles."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from mlstep.canonical import digest_file
from mlstep.errors import ConfigError
from mlstep.problems import Problems, typed, unknown_keys
from mlstep.registry import load_step
from mlstep.runner.references import NAMES, find_references
from mlstep.yaml_file import load_map

PIPELINE_VERSION = 1
PARAMETER_TYPES = ("text", "number", "integer", "boolean", "file", "source")
_TOP = {"pipeline_version", "pipeline", "description", "parameters", "steps"}
_PARAMETER = {"type", "default", "fixed", "description"}
_STEP = {
    "step", "in", "config", "needs", "resources", "timeout_seconds", "retries", "on_fail", "identity",
    "uses", "description",
}  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Parameter:
    """What a run may choose.

    Attributes:
        fixed: whether the definition alone sets it, never a caller.
    """

    name: str
    type: str
    default: Any = None
    fixed: bool = False
    description: str = ""


@dataclass(frozen=True)
class StepSpec:
    """One step of a pipeline.

    Attributes:
        name: its key in the definition; `step` is the implementation.
        inputs: input -> `step.output`, or one `${…}` reference.
        needs: every step that must be done before, implied and explicit.
        resources: a compute class, or cores and GiB.
        on_fail: whether a decision `fail` ends the run, or is left to the steps that read the output.
        uses: what of the platform it is given.
    """

    name: str
    step: str
    inputs: dict[str, str]
    outputs: tuple[str, ...]
    config: dict[str, Any]
    needs: tuple[str, ...]
    resources: str | dict[str, float] = "small"
    timeout_seconds: float | None = None
    retries: int = 1
    on_fail: Literal["stop", "continue"] = "stop"
    uses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pipeline:
    """A checked definition; `steps` are in an order in which they could run."""

    name: str
    description: str
    parameters: dict[str, Parameter]
    steps: tuple[StepSpec, ...]
    path: Path
    sha256: str = field(default="")

    def step(self, name: str) -> StepSpec:
        """The step called `name`.

        Raises:
            ConfigError: no such step.
        """
        for spec in self.steps:
            if spec.name == name:
                return spec
        raise ConfigError(f"{self.path}: no step {name}", f"steps: {', '.join(spec.name for spec in self.steps)}")

    def until(self, name: str) -> set[str]:
        """A step and everything it needs."""
        wanted: set[str] = set()
        pending = [self.step(name).name]
        while pending:
            current = pending.pop()
            if current not in wanted:
                wanted.add(current)
                pending += self.step(current).needs
        return wanted


def read_pipeline(path: Path) -> Pipeline:
    """Read and check a definition.

    Raises:
        ConfigError: every problem, in one message.
    """
    content = load_map(path)
    problems = Problems(str(path))
    unknown_keys(problems, "", content, _TOP)
    if content.get("pipeline_version") != PIPELINE_VERSION:
        problems.add("pipeline_version", f"is {content.get('pipeline_version')!r}", f"write {PIPELINE_VERSION}")
    name = content.get("pipeline")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.add("pipeline", f"is {name!r}", "name it with lower-case letters, digits, - and _")
    parameters = _parameters(problems, content.get("parameters"))
    steps = _steps(problems, content.get("steps"), parameters)
    problems.raise_if_any("see docs/architecture.md, section 4, pipeline.yaml")
    return Pipeline(
        str(name), str(content.get("description") or ""), parameters, steps, path.resolve(), digest_file(path)
    )


def _parameters(problems: Problems, entries: Any) -> dict[str, Parameter]:
    if entries is None:
        return {}
    if not isinstance(entries, dict):
        problems.add("parameters", "is not a map", "write name: {type: text, default: …}")
        return {}
    parameters = {}
    for name, entry in entries.items():
        place = f"parameters.{name}"
        if not isinstance(entry, dict):
            problems.add(place, f"is {entry!r}", "write {type: text, default: …}")
            continue
        unknown_keys(problems, place, entry, _PARAMETER)
        kind = entry.get("type", "text")
        if kind not in PARAMETER_TYPES:
            problems.add(f"{place}.type", f"is {kind!r}", f"allowed: {', '.join(PARAMETER_TYPES)}")
        fixed = bool(typed(problems, place, entry, "fixed", (bool,), "true or false"))
        _check_references(problems, f"{place}.default", entry.get("default"), {}, within_parameters=True)
        parameters[str(name)] = Parameter(
            str(name), str(kind), entry.get("default"), fixed, str(entry.get("description") or "")
        )
    return parameters


def _steps(problems: Problems, entries: Any, parameters: dict[str, Parameter]) -> tuple[StepSpec, ...]:
    if not isinstance(entries, dict) or not entries:
        problems.add("steps", "has no step", "write name: {step: …, in: {…}}")
        return ()
    outputs: dict[str, tuple[str, ...]] = {}
    kinds: dict[str, Any] = {}
    for name, entry in entries.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            problems.add(f"steps.{name}", "is no name", "use lower-case letters, digits, - and _")
        kinds[name] = _implementation(problems, name, entry)
        outputs[name] = kinds[name].outputs if kinds[name] is not None else ()
    specs = [_step(problems, name, entry or {}, kinds[name], outputs, parameters) for name, entry in entries.items()]
    return _ordered(problems, [spec for spec in specs if spec is not None])


def _implementation(problems: Problems, name: str, entry: Any) -> Any:
    if entry is not None and not isinstance(entry, dict):
        problems.add(f"steps.{name}", f"is {entry!r}", "write a map")
        return None
    wanted = (entry or {}).get("step", name)
    try:
        return load_step(str(wanted))
    except ConfigError as error:
        problems.add(f"steps.{name}.step", error.what, error.remedy)
        return None


def _step(
    problems: Problems,
    name: str,
    entry: dict[str, Any],
    kind: Any,
    outputs: dict[str, tuple[str, ...]],
    parameters: dict[str, Parameter],
) -> StepSpec | None:
    if kind is None:
        return None
    place = f"steps.{name}"
    unknown_keys(problems, place, entry, _STEP)
    inputs, implied = _inputs(problems, place, entry, kind, outputs, parameters)
    config = typed(problems, place, entry, "config", (dict,), "a map") or {}
    _check_references(problems, f"{place}.config", config, parameters)
    explicit = typed(problems, place, entry, "needs", (list,), "a list of steps") or []
    for needed in explicit:
        if needed not in outputs:
            problems.add(f"{place}.needs", f"names {needed!r}", f"steps: {', '.join(outputs)}")
    on_fail = entry.get("on_fail", "stop")
    if on_fail not in ("stop", "continue"):
        problems.add(f"{place}.on_fail", f"is {on_fail!r}", "allowed: stop, continue")
    return StepSpec(
        name=name,
        step=str(entry.get("step", name)),
        inputs=inputs,
        outputs=kind.outputs,
        config=config,
        needs=tuple(dict.fromkeys([*(step for step in explicit if step in outputs), *implied])),
        resources=_resources(problems, place, entry.get("resources", "small")),
        timeout_seconds=_positive(problems, place, entry, "timeout_seconds"),
        retries=_retries(problems, place, entry),
        on_fail=cast(Literal["stop", "continue"], on_fail),
        uses=_uses(problems, place, entry),
    )


def _inputs(
    problems: Problems,
    place: str,
    entry: dict[str, Any],
    kind: Any,
    outputs: dict[str, tuple[str, ...]],
    parameters: dict[str, Parameter],
) -> tuple[dict[str, str], list[str]]:
    given = typed(problems, place, entry, "in", (dict,), "a map of inputs") or {}
    known = (*kind.inputs, *kind.optional_inputs)
    for missing in (name for name in kind.inputs if name not in given):
        problems.add(f"{place}.in.{missing}", "missing", f"step {kind.name} reads it")
    implied = []
    for name, value in given.items():
        where = f"{place}.in.{name}"
        if name not in known:
            problems.add(where, f"is no input of step {kind.name}", f"inputs: {', '.join(known) or 'none'}")
        if not isinstance(value, str):
            problems.add(where, f"is {value!r}", "write step.output or ${…}")
        elif value.startswith("${"):
            _check_references(problems, where, value, parameters)
            if name in kind.inputs and value.endswith("?}"):
                problems.add(where, f"{value} may be absent", f"step {kind.name} needs this input")
        else:
            source, _, output = value.partition(".")
            if source not in outputs or output not in outputs[source]:
                offered = [f"{step}.{out}" for step, outs in outputs.items() for out in outs]
                problems.add(
                    where,
                    f"{value} is no output of a step",
                    f"outputs: {', '.join(offered) or 'none'}; or write ${{…}}",
                )
            else:
                implied.append(source)
    return {str(name): str(value) for name, value in given.items()}, implied


def _check_references(
    problems: Problems, place: str, value: Any, parameters: dict[str, Parameter], *, within_parameters: bool = False
) -> None:
    for reference in find_references(value):
        group, _, name = reference.name.partition(".")
        if group == "parameters" and (within_parameters or name not in parameters):
            problems.add(
                place, f"{reference.text}: no such parameter", f"parameters: {', '.join(parameters) or 'none'}"
            )
        elif group not in ("parameters", "platform") and name not in NAMES.get(group, ()):
            offered = [f"{known}.{one}" for known, names in NAMES.items() for one in names]
            problems.add(
                place,
                f"{reference.text}: not known",
                f"allowed: parameters.*, platform.<stage>.<key>, {', '.join(offered)}",
            )


def _resources(problems: Problems, place: str, value: Any) -> str | dict[str, float]:
    if isinstance(value, str):
        return value
    fits = isinstance(value, dict) and set(value) == {"cpu", "memory_gib"}
    if not fits or not all(
        isinstance(size, int | float) and not isinstance(size, bool) and size > 0 for size in value.values()
    ):
        problems.add(f"{place}.resources", f"is {value!r}", "name a compute class, or write {cpu: 1, memory_gib: 2}")
        return "small"
    return {key: float(size) for key, size in value.items()}


def _positive(problems: Problems, place: str, entry: dict[str, Any], key: str) -> float | None:
    value = typed(problems, place, entry, key, (int, float), "a number of seconds")
    if value is not None and value <= 0:
        problems.add(f"{place}.{key}", f"is {value}", "write a number above 0")
    return None if value is None else float(value)


def _retries(problems: Problems, place: str, entry: dict[str, Any]) -> int:
    value = typed(problems, place, entry, "retries", (int,), "a whole number")
    if value is not None and not 0 <= value <= 10:
        problems.add(f"{place}.retries", f"is {value}", "allowed: 0 to 10")
    return 1 if value is None else int(value)


def _uses(problems: Problems, place: str, entry: dict[str, Any]) -> tuple[str, ...]:
    uses = typed(problems, place, entry, "uses", (list,), "a list") or []
    for use in uses:
        if use != "tracking":
            problems.add(f"{place}.uses", f"names {use!r}", "allowed: tracking")
    identity = entry.get("identity")
    if identity not in (None, "pipeline"):
        problems.add(
            f"{place}.identity",
            f"is {identity!r}",
            "steps run as `pipeline` only; a champion is moved by `mlstep promote`",
        )
    if uses and identity != "pipeline":
        problems.add(f"{place}.identity", "missing", "what uses tracking says so: identity: pipeline")
    return tuple(str(use) for use in uses)


def _ordered(problems: Problems, specs: list[StepSpec]) -> tuple[StepSpec, ...]:
    names = {spec.name for spec in specs}
    ordered: list[StepSpec] = []
    done: set[str] = set()
    pending = list(specs)
    while pending:
        ready = [spec for spec in pending if all(needed in done or needed not in names for needed in spec.needs)]
        if not ready:
            circle = ", ".join(
                f"{spec.name} needs {' and '.join(n for n in spec.needs if n not in done)}" for spec in pending
            )
            problems.add("steps", f"need each other in a circle: {circle}", "remove one of these needs")
            return tuple(specs)
        ordered += ready
        done |= {spec.name for spec in ready}
        pending = [spec for spec in pending if spec.name not in done]
    return tuple(ordered)
