"""The contract of a step: a class, a context, a result, and the function that runs one."""

import json
import sys
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

from mlstep.canonical import digest_json, iso, now, pretty, read_json, write_atomic
from mlstep.errors import ConfigError
from mlstep.manifest import Origin, describe_input, write_manifest

Decision = Literal["pass", "warn", "fail"]
Config_co = TypeVar("Config_co", covariant=True)
Config_contra = TypeVar("Config_contra", contravariant=True)


@dataclass(frozen=True)
class NoConfig:
    """The configuration of a step that has none."""


@dataclass(frozen=True)
class StepResult:
    """What a step decided.

    Attributes:
        decision: pass, warn or fail; `fail` is a result, not an error.
        metrics: finite numbers, spelled-out names with units.
        reasons: one sentence each, for people.
        rows: rows per output, where it has rows.
        schemas: columns per output as [{name, type}], where it has columns.
    """

    decision: Decision
    metrics: dict[str, float] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    schemas: dict[str, list[dict[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Context(Generic[Config_co]):
    """What a step may know: its run, its configuration, its inputs and outputs, and nothing else."""

    run_id: str
    config: Config_co
    inputs: Mapping[str, Path]
    outputs: Mapping[str, Path]
    origins: Mapping[str, Mapping[str, Any]]

    def has(self, name: str) -> bool:
        """Whether an optional input was given."""
        return name in self.inputs

    def report(self, name: str) -> Any:
        """Parse `report.json` of a report input."""
        return read_json(self.inputs[name] / "report.json")

    def write_report(self, content: Any, output: str = "report", file: str = "report.json") -> None:
        """Write a JSON report into an output, sorted keys, atomically."""
        write_atomic(self.outputs[output] / file, pretty(content))

    def progress(self, done: int, total: int, label: str) -> None:
        """Tell whoever runs the step how far it is."""
        print(json.dumps({"progress": {"done": done, "total": total, "label": label}}), flush=True)


class Step(Protocol[Config_contra]):
    """A step. Constructed without arguments; one instance runs once."""

    name: ClassVar[str]
    config_type: ClassVar[type]
    inputs: ClassVar[tuple[str, ...]]
    optional_inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar[tuple[str, ...]]

    def run(self, ctx: Context[Config_contra]) -> StepResult:
        """Read inputs, write outputs, decide."""
        ...


def run_step(
    step: Step[Any],
    config: Mapping[str, Any],
    inputs: Mapping[str, Path],
    outputs: Mapping[str, Path],
    result: Path,
    run_id: str,
) -> StepResult:
    """Check the call, verify inputs, run the step, then write manifests and the result (the result last).

    Outputs are written under temporary names beside their own and renamed when all are complete: a crash or a full
    disk leaves nothing under a final name.

    Raises:
        ConfigError: unknown, missing or ill-typed configuration keys, inputs or outputs; all in one message.
        IntegrityError: an input does not match its manifest.
    """
    _check_call(step, inputs, outputs)
    parsed = parse_config(step.config_type, config, step.name)
    origins = {name: describe_input(path) for name, path in sorted(inputs.items())}
    started = iso(now())
    result.unlink(missing_ok=True)  # An older result must not vouch for what is written now.
    partial = {name: folder.with_name(f".{folder.name}.partial") for name, folder in outputs.items()}
    try:
        for folder in partial.values():
            _remove(folder)
            folder.mkdir(parents=True)
        outcome = step.run(Context(run_id, parsed, dict(inputs), partial, origins))
        ended = iso(now())
        origin = Origin(step.name, run_id, origins, digest_json(dict(config)), started, ended)
        digests = {
            name: write_manifest(folder, name, origin, outcome.rows.get(name), outcome.schemas.get(name))
            for name, folder in sorted(partial.items())
        }
        for name, folder in outputs.items():
            _remove(folder)
            partial[name].rename(folder)
    except BaseException:
        for folder in partial.values():
            _remove(folder)
        raise
    content = {
        "step": step.name,
        "run": run_id,
        "decision": outcome.decision,
        "metrics": outcome.metrics,
        "reasons": outcome.reasons,
        "outputs": digests,
        "started": started,
        "ended": ended,
    }
    write_atomic(result, pretty(content))
    return outcome


def parse_config(config_type: type, config: Mapping[str, Any], step: str) -> Any:
    """Build a step's frozen configuration; unknown keys and wrong types are errors.

    Raises:
        ConfigError: every problem in one message.
    """
    required = [f.name for f in fields(config_type) if f.default is MISSING and f.default_factory is MISSING]
    if not config and not required:
        return config_type()  # Skips the import of pydantic, which costs more than a small step.
    from pydantic import ValidationError

    try:
        return _adapter(config_type).validate_python(dict(config))
    except ValidationError as error:
        known = ", ".join(f.name for f in fields(config_type)) or "none"
        problems = [
            f"{'.'.join(str(part) for part in e['loc']) or step}: {e['msg']} (found {e['input']!r})"
            for e in error.errors()
        ]
        raise ConfigError(
            f"step {step}: configuration is wrong: " + "; ".join(problems), f"known keys: {known}"
        ) from None


def config_schema(config_type: type) -> dict[str, Any]:
    """JSON Schema of a step's configuration."""
    schema: dict[str, Any] = _adapter(config_type).json_schema()
    return schema


def defaults(config_type: type) -> dict[str, Any]:
    """The configuration's defaults, for documentation; a type with required keys has none."""
    return asdict(config_type())


def _adapter(config_type: type) -> Any:
    from pydantic import ConfigDict, TypeAdapter

    strict = type(config_type.__name__, (config_type,), {"__pydantic_config__": ConfigDict(extra="forbid")})
    return TypeAdapter(strict)


def _check_call(step: Step[Any], inputs: Mapping[str, Path], outputs: Mapping[str, Path]) -> None:
    known = {*step.inputs, *step.optional_inputs}
    problems = [f"input {name}: missing" for name in step.inputs if name not in inputs]
    problems += [f"input {name}: not known" for name in inputs if name not in known]
    problems += [f"output {name}: missing" for name in step.outputs if name not in outputs]
    problems += [f"output {name}: not known" for name in outputs if name not in step.outputs]
    if problems:
        remedy = f"inputs: {', '.join(sorted(known)) or 'none'}; outputs: {', '.join(step.outputs) or 'none'}"
        raise ConfigError(f"step {step.name}: " + "; ".join(problems), remedy)


def _remove(folder: Path) -> None:
    if folder.exists():
        import shutil

        shutil.rmtree(folder)


def local_path(uri: str) -> Path:
    """The path behind a `file` URI or a plain path.

    Raises:
        ConfigError: another scheme; object stores are mounted or fetched by the target's runner.
    """
    if uri.startswith("file://"):
        return Path(uri.removeprefix("file://"))
    if "://" in uri:
        scheme = uri.split("://", 1)[0]
        raise ConfigError(
            f"{uri}: scheme {scheme} cannot be read on one machine",
            "use a path or file://…; other targets mount their stores",
        )
    return Path(uri)


def fail(message: str) -> None:
    """Write one line to standard error."""
    print(message, file=sys.stderr, flush=True)
