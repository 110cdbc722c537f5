"""Our language host under the real engine: programs, dynamic providers, and what a user sees when a program fails."""

from pathlib import Path

import pytest

from tests.engine.harness import Engine

PROJECT = "name: scratch\nruntime: {name: python, options: {toolchain: pip, virtualenv: .venv}}\n"
THINGS = """
import os
import pulumi
from pulumi import dynamic

class Provider(dynamic.ResourceProvider):
    def create(self, props):
        return dynamic.CreateResult("id", {**props, "process": os.getpid()})

    def diff(self, identity, olds, news):
        return dynamic.DiffResult(changes=olds["size"] != news["size"])

    def update(self, identity, olds, news):
        return dynamic.UpdateResult({**news, "process": os.getpid()})

class Thing(dynamic.Resource, module="scratch", name="Thing"):
    process: pulumi.Output[int]
    size: pulumi.Output[int]

    def __init__(self, name, size):
        super().__init__(Provider(), name, {"size": size, "process": None})
"""
PROGRAM = """
import os
import pulumi
import things

config = pulumi.Config()
thing = things.Thing("a", config.require_int("size"))
pulumi.export("process", thing.process)
pulumi.export("own", os.getpid())
pulumi.export("folder", os.getcwd())
pulumi.export("word", config.require_secret("word"))
print("a line from the program")
"""
CONFIG = {"scratch:size": "1", "scratch:word": "open sesame"}

pytestmark = pytest.mark.usefixtures("own_host")


@pytest.fixture
def project(tmp_path: Path, program_environment: Path) -> Path:
    """A project with a dynamic resource in a module of its own."""
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "__main__.py").write_text(PROGRAM)
    (tmp_path / "things.py").write_text(THINGS)
    (tmp_path / ".venv").symlink_to(program_environment)
    return tmp_path


def test_life_of_a_stack(engine: Engine, project: Path) -> None:
    """Create, nothing to do, update, destroy: each does what it says, in the project's folder and environment."""
    planned = engine.preview(project, "life", config=CONFIG)
    assert planned.ok, planned.output
    assert planned.changes == {"create": 2}
    built = engine.up(project, "life", config=CONFIG)
    assert built.ok, built.output
    assert ("create", "pulumi-python:dynamic/scratch:Thing", "a") in built.steps
    assert "a line from the program" in built.messages("info")
    found = engine.outputs(project, "life")
    assert Path(found["folder"]).samefile(project)
    assert found["process"] != found["own"]
    again = engine.up(project, "life")
    assert again.changes == {"same": 2}, again.output
    grown = engine.up(project, "life", config={"scratch:size": "2"})
    assert grown.changes == {"same": 1, "update": 1}, grown.output
    gone = engine.destroy(project, "life")
    assert gone.ok, gone.output
    assert gone.changes == {"delete": 2}


def test_secret_configuration_stays_secret(engine: Engine, project: Path) -> None:
    """A value read as a secret is masked in outputs and encrypted in the state."""
    engine.command(project, "stack", "init", "secret")
    engine.command(project, "config", "set", "--secret", "scratch:word", "open sesame", "--stack", "secret")
    built = engine.up(project, "secret", config={"scratch:size": "1"})
    assert built.ok, built.output
    assert engine.outputs(project, "secret")["word"] == "[secret]"
    assert engine.outputs(project, "secret", show_secrets=True)["word"] == "open sesame"
    assert "open sesame" not in str(engine.export(project, "secret"))
    assert "open sesame" not in built.output
    engine.destroy(project, "secret")


@pytest.mark.parametrize(
    ("program", "shown", "hidden"),
    [
        ("import pulumi\nraise pulumi.RunError('mend the record')", ["mend the record"], ["Traceback"]),
        ("def deep():\n    return 1 / 0\n\ndeep()", ["ZeroDivisionError", "__main__.py"], ["executor.py", "runpy"]),
        ("def broken(:\n    pass", ["SyntaxError", "__main__.py"], []),
        ("import absent_module", ["No module named 'absent_module'", "__main__.py"], []),
        ("import sys\nsys.exit(7)", ["exited with non-zero exit code: 7"], ["Traceback"]),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", ["ended by signal 9"], ["Traceback"]),
    ],
    ids=["run-error", "exception", "syntax", "import", "exit", "killed"],
)
def test_failing_programs(engine: Engine, project: Path, program: str, shown: list[str], hidden: list[str]) -> None:
    """A failing program fails the command; the user sees the own lines that failed and none of ours."""
    (project / "__main__.py").write_text(program)
    result = engine.preview(project, "failing")
    assert not result.ok
    assert [text for text in shown if text not in result.output] == [], result.output
    assert [text for text in hidden if text in result.output] == [], result.output


def test_missing_program(engine: Engine, project: Path) -> None:
    """A folder without `__main__.py` is named."""
    (project / "__main__.py").unlink()
    result = engine.preview(project, "no-program")
    assert not result.ok
    assert "unable to find main python program `__main__.py`" in result.output


def test_missing_environment_is_made(engine: Engine, project: Path) -> None:
    """As with the official host, an environment that is not there is created from requirements.txt."""
    (project / ".venv").unlink()
    (project / "requirements.txt").write_text("--no-index\nnot-a-package==1.0\n")
    result = engine.preview(project, "no-environment")
    assert not result.ok
    assert "not-a-package" in result.output
    assert (project / ".venv" / "bin" / "python").exists()


def test_folder_that_is_no_environment(engine: Engine, project: Path) -> None:
    """A folder that holds something else is left alone, and the message says how to make an environment."""
    (project / ".venv").unlink()
    (project / ".venv").mkdir()
    (project / ".venv" / "kept").touch()
    result = engine.preview(project, "no-environment")
    assert not result.ok
    assert "is not a virtual environment" in result.output
    assert "-m venv" in result.output
    assert [path.name for path in (project / ".venv").iterdir()] == ["kept"]


def test_environment_without_the_sdk(engine: Engine, project: Path) -> None:
    """An environment that lacks the SDK is named, with the command that installs it."""
    (project / ".venv").unlink()
    (project / ".venv" / "bin").mkdir(parents=True)
    python = project / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\nexec /usr/bin/env python3 -I -S "$@"\n')
    python.chmod(0o755)
    result = engine.preview(project, "no-sdk")
    assert not result.ok
    assert "The Pulumi SDK is not installed" in result.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("toolchain: poetry", "needs the official Pulumi distribution"),
        ("typechecker: mypy", "needs the official Pulumi distribution"),
        ("virtualenv: [a]", "must be text"),
    ],
)
def test_options_that_it_cannot_honour(engine: Engine, project: Path, options: str, words: str) -> None:
    """What only the official host can do is refused by name, not ignored."""
    (project / "Pulumi.yaml").write_text(f"name: scratch\nruntime: {{name: python, options: {{{options}}}}}\n")
    result = engine.preview(project, "options")
    assert not result.ok
    assert words in result.output
