"""Every command: help with an example, errors as one block, one JSON object, no traceback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stacks.commands import main
from stacks.record import REPOSITORY
from tests.unit.stacks.conftest import GOOD, Strata

COMMANDS = [
    ["check"],
    ["preview"],
    ["up"],
    ["down"],
    ["status"],
    ["run"],
    ["sign"],
    ["rollback"],
    ["trace"],
    ["new-contract"],
    ["logs"],
    ["secret"],
    ["drift", "demo"],
    ["local", "purge"],
    ["policy", "check"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    """Help names an example of this very command, and every command has --json."""
    shown = CliRunner().invoke(main.app, [*command, "--help"])
    assert shown.exit_code == 0
    assert f"Example: strata {' '.join(command)}" in shown.output
    assert "--json" in shown.output


def test_help_lists_the_exit_codes() -> None:
    """Scripts find every exit code that commands end with, without reading sources."""
    shown = " ".join(CliRunner().invoke(main.app, ["--help"]).output.split())
    named = {int(code) for code in re.findall(r"(\d+) [a-z]", shown.partition("Exit codes:")[2])}
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(main.__file__).parent.glob("*.py"))
    used = {int(code) for code in re.findall(r"(?:exit_code=|Exit\()(\d+)", sources)}
    assert used <= named
    assert {0, 1, main.UNEXPECTED, main.INTERRUPTED} <= named


def test_help_needs_no_heavy_library() -> None:
    """`strata --help` imports neither the engine nor rich, pydantic or YAML."""
    heavy = ["pulumi", "grpc", "rich", "pydantic", "ruamel.yaml", "httpx"]
    code = f"import sys; import stacks.commands.main; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert done.stdout.strip() == "[]"


def test_a_bad_record_is_one_block(strata: Strata, workplace: Path, record_file: Path) -> None:
    """Commands that need a record show all its problems, what to do, and end with 2."""
    record_file.write_text(GOOD.replace("stage: 4", "stage: 8").replace("risk_class: high", "risk_class: x"), "utf-8")
    ended = strata("status")
    assert ended.code == 2
    assert "stacks/workspaces/demo.yaml: 2 problems" in ended.err
    assert "strata check demo" in ended.err
    assert ended.out == ""


def test_an_unknown_stack_has_a_remedy(strata: Strata, workplace: Path) -> None:
    """A mistyped stack is answered with the one that is there."""
    ended = strata("status", "--stack", "dmo-dev")
    assert ended.code == 2
    assert "did you mean demo-dev?" in ended.err


def test_an_error_is_json_when_json_was_asked_for(strata: Strata, workplace: Path) -> None:
    """Scripts get the same failure as data, and nothing else on standard output."""
    ended = strata("status", "--json")
    assert ended.code == 1
    assert ended.json["error"]["what"] == "demo-dev is not up"
    assert ended.json["error"]["remedy"] == ["strata up demo-dev"]


def test_a_defect_ends_in_a_block_and_a_log(strata: Strata, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is no traceback on the screen; the traceback is in a log that is named."""

    def broken(_: str) -> None:
        raise ZeroDivisionError("seven")

    monkeypatch.setattr("stacks.commands.open_record.load", broken)
    ended = strata("status")
    assert ended.code == 70
    assert "ZeroDivisionError: seven" in ended.err
    assert "Traceback" not in ended.err + ended.out
    log = Path(ended.err.split(" log ")[1].strip())
    assert "Traceback" in log.read_text(encoding="utf-8")
    log.unlink()


def test_ctrl_c_says_how_to_go_on(strata: Strata, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interruption has its own exit code and the way on."""

    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stacks.commands.open_record.load", interrupted)
    ended = strata("status")
    assert ended.code == 130
    assert "the same command goes on from here" in ended.err


def test_a_wrong_option_is_a_usage_error(strata: Strata) -> None:
    """What the command line does not know ends with 2."""
    assert strata("up", "--fast").code == 2


def test_check_lists_problems_and_passes_good_records(strata: Strata, workplace: Path, record_file: Path) -> None:
    """`strata check` is silent about what is right and complete about what is wrong."""
    assert "no problems" in strata("check").out
    record_file.write_text(GOOD.replace("stage: 4", "stage: 0"), encoding="utf-8")
    ended = strata("check", "demo")
    assert ended.code == 2
    assert "5  stage  0 (number)  must be 1 or more" in ended.out
    found = json.loads(strata("check", "demo", "--json").out)
    assert found["records"][0]["problems"][0]["key"] == "stage"
    assert strata("check", "dem").err.count("did you mean demo?") == 1
