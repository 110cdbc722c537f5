"""How the language host reads `runtime.options`, and what it finds in an environment."""

import os
import sys
from pathlib import Path

import pytest

from tools.language_host import packages
from tools.language_host.options import OptionError, parse


def _environment(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    return folder


def test_environment_is_found_from_the_project(tmp_path: Path) -> None:
    """The option is relative to the folder of Pulumi.yaml, not to that of the program."""
    _environment(tmp_path / "shared")
    options = parse(str(tmp_path / "project"), {"toolchain": "pip", "virtualenv": "../shared"})
    assert options.python() == str(tmp_path / "shared" / "bin" / "python")


def test_activation(tmp_path: Path) -> None:
    """What a program starts comes from its environment first, and no other Python's home leaks in."""
    folder = _environment(tmp_path / ".venv")
    options = parse(str(tmp_path), {"virtualenv": ".venv"})
    found = options.activated({"PATH": "/usr/bin", "PYTHONHOME": "/other", "KEPT": "1"})
    assert found == {"PATH": f"{folder}/bin{os.pathsep}/usr/bin", "VIRTUAL_ENV": str(folder), "KEPT": "1"}


def test_plugins_have_a_default(tmp_path: Path) -> None:
    """A pack or plugin without the option uses `venv`; a program uses the Python on PATH."""
    assert parse(str(tmp_path), {}, plugin=True).virtualenv == "venv"
    assert Path(parse(str(tmp_path), {}).python()).name.startswith("python")


def test_ambient_python_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PULUMI_PYTHON_CMD decides, and a name that does not exist is an error."""
    monkeypatch.setenv("PULUMI_PYTHON_CMD", "no-such-python")
    with pytest.raises(OptionError, match="no-such-python"):
        parse(str(tmp_path), {}).python()


def test_every_wrong_option_is_named_at_once(tmp_path: Path) -> None:
    """Three mistakes, one message; what is unknown is ignored, as the official host does."""
    given = {"toolchain": "uv", "virtualenv": 3.0, "typechecker": "mypy", "unknown": True}
    with pytest.raises(OptionError) as caught:
        parse(str(tmp_path), given)
    assert len(str(caught.value).splitlines()) == 3


def test_missing_environment_says_how_to_make_it(tmp_path: Path) -> None:
    """The message can be pasted into a shell."""
    with pytest.raises(OptionError, match="does not exist") as caught:
        parse(str(tmp_path), {"virtualenv": ".venv"}).python()
    assert f"python3 -m venv {tmp_path}/.venv" in str(caught.value)


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[packages.Package]:
    """An environment with a provider's SDK, a package that it needs, and one that has no plugin."""
    for name, requires, plugin in (
        (
            "pulumi-example",
            "Requires-Dist: base_library>=1",
            '{"resource": true, "name": "example", "version": "4.1.0"}',
        ),
        ("base-library", "", None),
        ("pulumi-policy-like", "", '{"resource": false}'),
    ):
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}\n")
        if plugin:
            module = tmp_path / name.replace("-", "_")
            module.mkdir()
            (module / "pulumi-plugin.json").write_text(plugin)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PULUMI_PYTHON_CMD", sys.executable)
    return packages.installed(parse(str(tmp_path), {}))


def test_packages_and_their_plugins(found: list[packages.Package]) -> None:
    """Plugins are those that packages declare; what another package needs is not a direct dependency."""
    own = {package.name: package for package in found if package.name in ("pulumi-example", "base-library")}
    assert not own["pulumi-example"].required
    assert own["base-library"].required
    plugins = packages.required_plugins(found)
    assert [(plugin.name, plugin.version) for plugin in plugins] == [("example", "v4.1.0")]
