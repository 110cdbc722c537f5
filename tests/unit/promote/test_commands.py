"""`mlstep sign`, `promote` and `rollback` as commands, with MLflow away."""

import json
from pathlib import Path

import pytest

from mlstep import history
from mlstep.cli import main
from mlstep.platform import Platform
from tests.unit.promote.conftest import make_run


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """Run a command and parse what it printed."""
    assert main([*arguments, "--json"]) == 0
    content: dict[str, object] = json.loads(capsys.readouterr().out)
    return content


def promote(where: Platform, capsys: pytest.CaptureFixture[str], version: int) -> dict[str, object]:
    """Sign and promote a version."""
    root = str(where.root)
    signed = call(capsys, "sign", "credit", f"v{version}", "--as", "risk", "--root", root)
    return call(capsys, "promote", "--statement", str(signed["statement"]), "--root", root)


def test_promotion_does_not_wait_for_mlflow(where: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """With MLflow away the champion still changes, and the answer says that the alias is behind."""
    make_run(where)
    entry = promote(where, capsys, 1)
    assert entry["kind"] == "promote"
    assert entry["alias"]["state"] == "behind"  # type: ignore[index]
    assert "127.0.0.1:9" in entry["alias"]["detail"]  # type: ignore[index]


def test_rollback_returns_to_the_former_bytes(where: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """Two promotions and a rollback: the first bytes answer again, and the history says by whom and why."""
    first = make_run(where)
    promote(where, capsys, 1)
    make_run(where, version=2, run="02RUN")
    promote(where, capsys, 2)
    arguments = ["rollback", "credit", "--by", "on.call@demo.example", "--reason", "drift", "--root", str(where.root)]
    entry = call(capsys, *arguments)
    assert (entry["kind"], entry["model_digest"], entry["by"]) == ("rollback", first.digest, "on.call@demo.example")
    assert [line.kind for line in history.read(where, "credit")] == ["promote", "promote", "rollback"]


def test_rollback_without_a_former_champion_is_refused(where: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to return to after one promotion; exit code 4 and a reason."""
    make_run(where)
    promote(where, capsys, 1)
    assert main(["rollback", "credit", "--root", str(where.root)]) == 4
    assert "no former champion" in capsys.readouterr().err


def test_dry_run_writes_nothing(where: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """The summary before signing leaves no statement behind."""
    make_run(where)
    shown = call(capsys, "sign", "credit", "1", "--as", "risk", "--dry-run", "--root", str(where.root))
    assert shown["gate"] == {"decision": "pass", "passed": 5, "rules": 5}
    assert not (where.root / "champions").exists()


@pytest.mark.parametrize(
    "arguments", [["sign", "credit", "9", "--as", "risk"], ["sign", "credit", "x", "--as", "risk"]]
)
def test_wrong_version_lists_what_exists(
    where: Platform, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """A version that does not exist or is none ends with exit code 2 and one message."""
    make_run(where)
    assert main([*arguments, "--root", str(where.root)]) == 2
    assert "remedy" in capsys.readouterr().err


def test_no_platform_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without a platform says so."""
    assert main(["promote", "--repair", "credit", "--root", str(tmp_path)]) == 2
    assert "no platform here" in capsys.readouterr().err
