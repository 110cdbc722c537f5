"""Steps that write what they are told, run by the real step runner."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from mlstep.canonical import write_atomic
from mlstep.step import Context, NoConfig, StepResult, run_step

Write = Callable[[Path], None]


def play(
    folder: Path, name: str, inputs: Mapping[str, Path], writers: Mapping[str, Write], rows: int | None = None
) -> dict[str, Path]:
    """Run one step below a run's folder; each writer fills one output. Returns the outputs' folders."""
    outputs = {output: folder / name / output for output in writers}
    counts = dict.fromkeys(writers, rows) if rows is not None else {}
    step = _scripted(name, tuple(inputs), writers, counts)
    run_step(step, {}, inputs, outputs, folder / name / "result.json", folder.name)
    return outputs


def json_file(name: str, content: Any) -> Write:
    """A writer of one JSON file."""
    return lambda out: write_atomic(out / name, json.dumps(content, sort_keys=True))


def report(content: Any) -> Write:
    """A writer of a step's report."""
    return json_file("report.json", content)


def parquet(frame: Any) -> Write:
    """A writer of rows."""
    return lambda out: frame.write_parquet(out / "data.parquet")


def _scripted(step: str, takes: tuple[str, ...], writers: Mapping[str, Write], counts: dict[str, int]) -> Any:
    class Scripted:
        name: ClassVar[str] = step
        config_type: ClassVar[type] = NoConfig
        inputs: ClassVar[tuple[str, ...]] = takes
        optional_inputs: ClassVar[tuple[str, ...]] = ()
        outputs: ClassVar[tuple[str, ...]] = tuple(writers)

        def run(self, ctx: Context[NoConfig]) -> StepResult:
            """Write each output."""
            for output, write in writers.items():
                write(ctx.outputs[output])
            return StepResult("pass", rows=counts)

    return Scripted()
