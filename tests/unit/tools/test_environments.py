"""Environments are made once, whole, by one process at a time."""

import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import environments, locking, progress
from tools.environments import Environment, InstallError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one environment, `small`, that needs no package and no network."""
    # A name with a space: the start scripts must bear it.
    repository = tmp_path / "a repository"
    (repository / "code" / "own").mkdir(parents=True)
    (repository / "code" / "own" / "__init__.py").touch()
    (repository / "code" / "own" / "cli.py").write_text("def main():\n    print('hello from own')\n    return 3\n")
    (repository / "small.txt").write_text("# nothing\n")
    item = Environment("small", ".envs/small", "small.txt", ("code",), {"own": "own.cli:main"})
    monkeypatch.setattr(environments, "ENVIRONMENTS", {"small": item})
    return repository


def test_environment_sees_our_code_and_has_its_commands(root: Path) -> None:
    """The interpreter imports the package, and the console script runs it and hands on its exit code."""
    folder = environments.ensure("small", root)
    done = subprocess.run([folder / "bin" / "own"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("hello from own\n", 3), done.stderr


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Environments without an installer, for tests of when one is made; lists those that were."""
    made: list[str] = []

    def install(plan: environments.Plan) -> None:
        made.append(plan.name)
        shutil.rmtree(plan.folder, ignore_errors=True)
        (plan.folder / "bin").mkdir(parents=True)
        (plan.folder / "bin" / "python").symlink_to(sys.executable)
        environments._site_packages(plan.folder).mkdir(parents=True)

    monkeypatch.setattr(environments, "_install", install)
    return made


def test_second_call_does_nothing(root: Path, quick: list[str]) -> None:
    """An environment that is up to date is left alone and reported on by nobody."""
    lines: list[str] = []
    environments.ensure("small", root, lines.append)
    assert len(lines) == 1
    assert "environment small" in lines[0]
    environments.ensure("small", root, lines.append)
    assert len(lines) == 1
    assert quick == ["small"]
    assert environments.is_current("small", root)


@pytest.mark.parametrize("harm", ["lock", "marker", "interpreter", "moved"])
def test_what_is_not_as_it_should_be_is_made_anew(root: Path, tmp_path: Path, quick: list[str], harm: str) -> None:
    """A changed lock file, a missing marker (half-made), a missing interpreter, a moved folder: all are noticed."""
    folder = environments.ensure("small", root)
    (folder / "left-over").touch()
    if harm == "lock":
        (root / "small.txt").write_text("# something else\n")
    elif harm == "marker":
        (folder / environments.MARKER).unlink()
    elif harm == "interpreter":
        (folder / "bin" / "python").unlink()
    else:
        root = root.rename(tmp_path / "elsewhere")
        folder = root / ".envs" / "small"
    assert not environments.is_current("small", root)
    environments.ensure("small", root)
    assert environments.is_current("small", root)
    assert quick == ["small", "small"]
    assert not (folder / "left-over").exists()


def test_failed_installation_is_not_taken_for_an_environment(root: Path) -> None:
    """The error shows the installer's own words and what to do; the next call starts anew."""
    (root / "small.txt").write_text(f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n--no-index\n")
    with pytest.raises(InstallError, match="no-such-package") as caught:
        environments.ensure("small", root)
    assert "environment small" in str(caught.value)
    assert "run the same command again" in str(caught.value)
    assert not environments.is_current("small", root)
    (root / "small.txt").write_text("# nothing\n")
    environments.ensure("small", root)
    assert environments.is_current("small", root)


def test_without_uv(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that has only Python, venv and pip do the same work, hashes required."""
    asked: list[list[str]] = []

    def run(command: list[str], *_: object) -> tuple[int, str]:
        asked.append(command)
        return (0, "") if "venv" in command else (1, "stopped here")

    monkeypatch.setattr(environments, "_working_uv", lambda: None)
    monkeypatch.setattr(progress, "run", run)
    with pytest.raises(InstallError, match="-m pip install"):
        environments.ensure("small", root)
    assert asked[0][1:3] == ["-m", "venv"]
    assert "--require-hashes" in asked[1]


def test_shim_without_uv_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version manager's `uv` that does not start counts as no uv."""
    shim = tmp_path / "uv"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environments._working_uv() is None


def test_two_at_once_make_it_once(
    root: Path, quick: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one waits, says so, and then finds the work done."""
    waits = threading.Event()
    install = environments._install

    def pause(_seconds: float) -> None:
        waits.set()
        time.sleep(0.01)

    def install_when_another_waits(plan: environments.Plan) -> None:
        assert waits.wait(60), "the second one never came"
        install(plan)

    monkeypatch.setattr(locking, "time", SimpleNamespace(monotonic=time.monotonic, sleep=pause))
    monkeypatch.setattr(environments, "_install", install_when_another_waits)
    made: list[str] = []
    both = [threading.Thread(target=environments.ensure, args=("small", root, made.append)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(made) == len(quick) == 1
    assert "waiting for process" in capfd.readouterr().err


def test_unknown_name_and_missing_lock(root: Path) -> None:
    """Both say what is there to choose from or to do."""
    with pytest.raises(InstallError, match="'large' is unknown; choose from small"):
        environments.ensure("large", root)
    (root / "small.txt").unlink()
    with pytest.raises(InstallError, match="make lock"):
        environments.ensure("small", root)


def test_old_python(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that is too old is refused before anything is touched."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(InstallError, match=r"Python 3\.11 or later"):
        environments.ensure("small", root)
    assert not (root / ".envs").exists()


def test_installer_is_not_led_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    """An active environment of the caller has no say."""
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert {"VIRTUAL_ENV", "PYTHONPATH"}.isdisjoint(environments._clean_environment())


def test_named_environments_of_the_repository() -> None:
    """Every named environment has its lock file and finds our packages where they are."""
    repository = Path(environments.__file__).parents[1]
    missing = [
        path
        for item in environments.ENVIRONMENTS.values()
        for path in (item.lock, *item.paths)
        if not (repository / path).exists()
    ]
    assert missing == []
    assert shutil.which("python3")
    assert json.loads(environments._fingerprint(environments._plan("program", repository)))["pip"] is True
