"""`strata new-contract` with the real run-time command behind it: the target is asked for where somebody can answer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer

from tests.unit.stacks.conftest import Strata

ROWS = "age,income,defaulted\n" + "".join(f"{20 + n},{1000 * n},{n % 2}\n" for n in range(40))


@pytest.fixture
def rows(workplace: Path, repository: Path, tmp_path: Path) -> Path:
    """A file of rows, in a repository whose `mlstep` is the real one."""
    program = repository / ".strata" / "envs" / "run-time" / "bin" / "mlstep"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!{sys.executable}\nimport sys\nfrom mlstep.cli import main\nsys.exit(main())\n", "utf-8")
    program.chmod(0o755)
    file = tmp_path / "rows.csv"
    file.write_text(ROWS, encoding="utf-8")
    return file


def test_the_target_is_asked_for(strata: Strata, rows: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """At a terminal the columns are listed, one is asked for, and it becomes the contract's target."""
    asked = []

    def answer(question: str) -> str:
        asked.append(question)
        return "defaulted"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", answer)
    shown = strata("new-contract", str(rows))
    assert shown.code == 0, shown.err
    assert asked == ["Which column is to be predicted?"]
    assert "age, income, defaulted" in shown.out
    assert "strata.role" in (tmp_path / "rows.odcs.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("terminal", "more"), [(False, []), (True, ["--json"])])
def test_nobody_is_asked_where_nobody_answers(
    strata: Strata, rows: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, terminal: bool, more: list[str]
) -> None:
    """In a pipe and with --json the missing option is named with the columns, and nothing is written."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal)
    shown = strata("new-contract", str(rows), *more)
    assert shown.code == 2
    assert "no --target given" in shown.out + shown.err
    assert "age, income, defaulted" in shown.out + shown.err
    assert not (tmp_path / "rows.odcs.yaml").exists()


def test_an_answer_that_is_no_column(
    strata: Strata, rows: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wrong answer is refused with the columns there are, and nothing is written."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", lambda _question: "default")
    shown = strata("new-contract", str(rows))
    assert shown.code == 2
    assert "default" in shown.err
    assert "columns: age, income, defaulted" in shown.err
    assert not (tmp_path / "rows.odcs.yaml").exists()
