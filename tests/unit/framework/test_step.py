"""The step contract: verified inputs, manifests, one result; wrong calls are one clear error."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from mlstep.cli import main
from mlstep.errors import ConfigError, IntegrityError
from mlstep.manifest import verify_manifest
from mlstep.step import Context, StepResult, config_schema, parse_config, run_step


@dataclass(frozen=True)
class CopyConfig:
    """Configuration of the copying step.

    Attributes:
        repeat: how many times the text is written.
    """

    repeat: int = 1


class Copy:
    """Writes its input's text to its output."""

    name: ClassVar[str] = "copy"
    config_type: ClassVar[type] = CopyConfig
    inputs: ClassVar[tuple[str, ...]] = ("text",)
    optional_inputs: ClassVar[tuple[str, ...]] = ("more",)
    outputs: ClassVar[tuple[str, ...]] = ("text",)

    def run(self, ctx: Context[CopyConfig]) -> StepResult:
        """Copy."""
        path = ctx.inputs["text"]
        text = (path / "text" if path.is_dir() else path).read_text(encoding="utf-8")
        (ctx.outputs["text"] / "text").write_text(text * ctx.config.repeat, encoding="utf-8")
        return StepResult("pass", {"characters": float(len(text))})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A plain input file."""
    file = tmp_path / "in.txt"
    file.write_text("rows", encoding="utf-8")
    return file


def test_outputs_form_a_chain_of_digests(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second step's manifest names the digest of the first one's output."""
    monkeypatch.setenv("STRATA_NOW", "2026-01-01T00:00:00+00:00")
    run_step(Copy(), {}, {"text": source}, {"text": tmp_path / "a"}, tmp_path / "a.json", "r1")
    run_step(Copy(), {"repeat": 2}, {"text": tmp_path / "a"}, {"text": tmp_path / "b"}, tmp_path / "b.json", "r1")
    first, second = verify_manifest(tmp_path / "a"), verify_manifest(tmp_path / "b")
    assert second["inputs"]["text"]["digest"] == first["digest"]
    assert json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))["outputs"] == {"text": second["digest"]}


def test_same_input_gives_same_bytes(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fixed clock, manifests of two runs of one step are equal byte for byte."""
    monkeypatch.setenv("STRATA_NOW", "2026-01-01T00:00:00+00:00")
    for name in ("a", "b"):
        run_step(Copy(), {}, {"text": source}, {"text": tmp_path / name}, tmp_path / f"{name}.json", "r1")
    assert (tmp_path / "a/manifest.json").read_bytes() == (tmp_path / "b/manifest.json").read_bytes()


def test_changed_input_is_refused(tmp_path: Path, source: Path) -> None:
    """A step does not read an output that was edited after it was written."""
    run_step(Copy(), {}, {"text": source}, {"text": tmp_path / "a"}, tmp_path / "a.json", "r1")
    (tmp_path / "a/text").write_text("other", encoding="utf-8")
    with pytest.raises(IntegrityError, match="text: bytes differ"):
        run_step(Copy(), {}, {"text": tmp_path / "a"}, {"text": tmp_path / "b"}, tmp_path / "b.json", "r1")
    assert not (tmp_path / "b.json").exists()


def test_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    """A folder that no step wrote is no input."""
    (tmp_path / "loose").mkdir()
    with pytest.raises(IntegrityError, match="no manifest"):
        run_step(Copy(), {}, {"text": tmp_path / "loose"}, {"text": tmp_path / "b"}, tmp_path / "b.json", "r1")


def test_all_problems_of_a_call_come_in_one_message(tmp_path: Path, source: Path) -> None:
    """Missing and unknown inputs and outputs are listed together."""
    with pytest.raises(ConfigError) as error:
        run_step(Copy(), {}, {"wrong": source}, {"also": tmp_path / "a"}, tmp_path / "a.json", "r1")
    for part in ("input text: missing", "input wrong: not known", "output text: missing", "output also: not known"):
        assert part in str(error.value)


def test_unknown_and_ill_typed_configuration_is_refused() -> None:
    """Both problems appear, with the keys that exist."""
    with pytest.raises(ConfigError) as error:
        parse_config(CopyConfig, {"repeat": "often", "speed": 3}, "copy")
    assert "repeat" in str(error.value)
    assert "speed" in str(error.value)
    assert "known keys: repeat" in str(error.value)


def test_schema_names_every_key() -> None:
    """The configuration's JSON Schema refuses other keys."""
    schema = config_schema(CopyConfig)
    assert schema["properties"]["repeat"]["type"] == "integer"
    assert schema["additionalProperties"] is False


def test_command_line_errors_have_code_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown step, command or configuration file ends with one line and exit code 2."""
    assert main(["step", "nosuch"]) == 2
    assert main(["nosuch"]) == 2
    assert main(["step", "noop", "--config", str(tmp_path / "none.json")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_noop_runs_from_the_command_line(tmp_path: Path) -> None:
    """The smallest step writes its result."""
    assert main(["step", "noop", "--result", str(tmp_path / "result.json")]) == 0
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["decision"] == "pass"
