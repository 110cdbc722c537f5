"""An output has its name only when it is complete, and an input is what its digest says."""

import resource
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

from mlstep import store
from mlstep.errors import IntegrityError
from mlstep.manifest import describe_input, verify_manifest
from mlstep.step import Context, NoConfig, StepResult, run_step


class Half:
    """Writes one of its two outputs, then breaks if told to by a file beside it."""

    name: ClassVar[str] = "half"
    config_type: ClassVar[type] = NoConfig
    inputs: ClassVar[tuple[str, ...]] = ()
    optional_inputs: ClassVar[tuple[str, ...]] = ("break",)
    outputs: ClassVar[tuple[str, ...]] = ("one", "two")

    def run(self, ctx: Context[NoConfig]) -> StepResult:
        """Write."""
        (ctx.outputs["one"] / "text").write_text("one", encoding="utf-8")
        if ctx.has("break"):
            raise OSError(28, "No space left on device")
        return StepResult("pass")


def run(folder: Path, **inputs: Path) -> None:
    """Run the step into a folder."""
    run_step(Half(), {}, inputs, {name: folder / name for name in ("one", "two")}, folder / "result.json", "r")


def test_a_broken_step_leaves_nothing(tmp_path: Path) -> None:
    """No output, no result and no temporary folder remain."""
    reason = tmp_path / "reason"
    reason.touch()
    with pytest.raises(OSError, match="No space left"):
        run(tmp_path / "out", **{"break": reason})
    assert list((tmp_path / "out").iterdir()) == []


def test_an_older_result_vouches_for_nothing(tmp_path: Path) -> None:
    """When a step breaks the second time, the first time's result is gone, its outputs still verify."""
    run(tmp_path / "out")
    reason = tmp_path / "reason"
    reason.touch()
    with pytest.raises(OSError, match="No space left"):
        run(tmp_path / "out", **{"break": reason})
    assert not (tmp_path / "out" / "result.json").exists()
    assert verify_manifest(tmp_path / "out" / "one")["output"] == "one"


def test_what_a_killed_attempt_left_is_cleared(tmp_path: Path) -> None:
    """Files of an attempt that was killed do not slip into the next one's output."""
    (tmp_path / "out" / ".one.partial").mkdir(parents=True)
    (tmp_path / "out" / ".one.partial" / "stale").touch()
    run(tmp_path / "out")
    assert [entry["path"] for entry in verify_manifest(tmp_path / "out" / "one")["files"]] == ["text"]


def test_a_full_disk_under_polars(tmp_path: Path, credit_contract: Path) -> None:
    """When Parquet cannot be written whole, the step says so without a traceback, and leaves nothing."""
    config = tmp_path / "config.json"
    config.write_text('{"source": "synthetic:credit?rows=20000"}', encoding="utf-8")
    out = tmp_path / "out"
    command = [sys.executable, "-P", "-m", "mlstep.cli", "step", "ingest", "--config", str(config)]
    command += ["--in", f"contract={credit_contract}", "--out", f"data={out / 'data'}", "--result", str(out / "r.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=_small_files)
    assert done.returncode == 74
    assert "free space" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(out.iterdir()) == []


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_folder_of_the_store_is_an_input(tmp_path: Path) -> None:
    """It has no manifest: its name is its digest, and changed bytes are refused."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text("{}", encoding="utf-8")
    digest = store.put(tmp_path, tmp_path / "model")
    folder = store.folder(tmp_path, digest)
    assert describe_input(folder)["digest"] == digest
    (folder / "model.json").chmod(0o600)
    (folder / "model.json").write_text("{ }", encoding="utf-8")
    with pytest.raises(IntegrityError, match="were changed"):
        describe_input(folder)
