"""A pipeline definition is checked whole before anything runs."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mlstep.errors import ConfigError
from mlstep.runner.definition import read_pipeline


def write(folder: Path, steps: dict[str, Any], **top: Any) -> Path:
    """A definition of these steps."""
    file = folder / "pipeline.yaml"
    content = {"pipeline_version": 1, "pipeline": "demo", "steps": steps, **top}
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


def test_steps_are_put_in_an_order_that_works(tmp_path: Path) -> None:
    """What is needed comes first, however it is written."""
    steps = {"c": {"step": "noop", "needs": ["b"]}, "b": {"step": "noop", "needs": ["a"]}, "a": {"step": "noop"}}
    pipeline = read_pipeline(write(tmp_path, steps))
    assert [spec.name for spec in pipeline.steps] == ["a", "b", "c"]
    assert pipeline.until("b") == {"a", "b"}


def test_the_reference_pipeline_is_right(credit_contract: Path) -> None:
    """Every step, input, output and reference of the credit pipeline exists; only register may use tracking."""
    pipeline = read_pipeline(credit_contract.with_name("pipeline.yaml"))
    assert pipeline.steps[0].name == "ingest"
    assert [spec.name for spec in pipeline.steps][-2:] == ["register", "gate"]
    assert [spec.name for spec in pipeline.steps if spec.uses] == ["register"]
    assert pipeline.parameters["policy"].fixed


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Fourteen mistakes are one message."""
    steps = {
        "a": {"step": "ingest", "in": {"kontract": "${parameters.x}", "contract": "${nothing.x}"}, "retries": 99},
        "b": {"step": "unknown"},
        "c": {"step": "validate", "in": {"data": "a.rows", "contract": "${champion.model?}"}, "on_fail": "shrug"},
        "d": {"step": "noop", "needs": ["z"], "identity": "promote", "timeout_seconds": -1, "resources": {"cpu": 1}},
        "e": {"step": "noop", "uses": ["tracking"], "colour": "red"},
        "F": {"step": "noop"},
    }
    file = write(
        tmp_path,
        steps,
        parameters={"p": {"type": "file", "default": "${parameters.q}"}, "q": {"type": "date"}},
        step={},
    )
    with pytest.raises(ConfigError) as caught:
        read_pipeline(file)
    message = str(caught.value)
    expected = [
        "kontract: is no input", "no such parameter", "${nothing.x}: not known", "retries: is 99",
        "step unknown: not known", "a.rows is no output", "may be absent", "is 'shrug'", "names 'z'",
        "is 'promote'", "is -1", "{'cpu': 1}", "identity: missing", "colour: not known", "steps.F: is no name",
        "is 'date'", "step: not known (did you mean steps?)",
    ]  # fmt: skip
    assert [text for text in expected if text not in message] == []


def test_a_circle_is_told(tmp_path: Path) -> None:
    """Steps that need each other are named with what they wait for."""
    steps = {"a": {"step": "noop", "needs": ["b"]}, "b": {"step": "noop", "needs": ["a"]}, "c": {"step": "noop"}}
    with pytest.raises(ConfigError, match="a needs b, b needs a"):
        read_pipeline(write(tmp_path, steps))


@pytest.mark.parametrize("steps", [None, {}, [], "noop"])
def test_no_steps_are_told(tmp_path: Path, steps: Any) -> None:
    """A definition without steps is no pipeline."""
    with pytest.raises(ConfigError, match="has no step"):
        read_pipeline(write(tmp_path, steps))
