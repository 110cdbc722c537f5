"""Which Pulumi is taken, and what is said when there is none."""

import stat
from pathlib import Path

import pytest

from tools import pulumi_build, pulumi_cli, pulumi_download, pulumi_host
from tools.pulumi_cli import PulumiMissingError


def _program(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Variables of a machine with an empty home and nothing but the system's shell."""
    (tmp_path / "programs").mkdir()
    return {"PATH": f"{tmp_path / 'programs'}:/usr/bin:/bin", "HOME": str(tmp_path / "home")}


def _pulumi(environ: dict[str, str], version: str, *, host: bool = True) -> Path:
    folder = Path(environ["PATH"].split(":")[0])
    _program(folder / "pulumi", f"echo {version}")
    if host:
        _program(folder / "pulumi-language-python")
    return folder


@pytest.mark.parametrize("version", ["v3.249.0", "v3.272.1", "v4.0.0", "3.260.0-alpha.1"])
def test_new_enough_on_path_is_taken(environ: dict[str, str], version: str) -> None:
    """What the user has installed comes first."""
    folder = _pulumi(environ, version)
    assert pulumi_cli.find(environ) == folder
    assert pulumi_cli.ensure(environ) == folder


@pytest.mark.parametrize(
    ("version", "host", "words"),
    [
        ("v3.248.9", True, "is 3.248.9, older than 3.249"),
        ("unknown", True, "does not say its version"),
        ("v3.260.0", False, "comes without pulumi-language-python"),
        ("", None, "pulumi is not on PATH"),
    ],
)
def test_unusable_on_path_is_named(environ: dict[str, str], version: str, host: bool | None, words: str) -> None:
    """Too old, broken, without its language host, or absent: the error says which."""
    if host is not None:
        _pulumi(environ, version, host=host)
    with pytest.raises(PulumiMissingError, match=words) as caught:
        pulumi_cli.find(environ)
    assert "make up" in str(caught.value)


def test_cache_is_the_second_choice(environ: dict[str, str]) -> None:
    """A complete cache is taken when PATH has nothing usable; a CLI without its host is not complete."""
    cached = pulumi_cli.cache_folder(environ) / "bin"
    _program(cached / "pulumi")
    with pytest.raises(PulumiMissingError):
        pulumi_cli.find(environ)
    _program(cached / "pulumi-language-python")
    assert pulumi_cli.find(environ) == cached
    assert pulumi_cli.VERSION in str(cached)


def test_cache_follows_the_convention(environ: dict[str, str], tmp_path: Path) -> None:
    """XDG_CACHE_HOME moves the cache."""
    assert pulumi_cli.cache_folder({**environ, "XDG_CACHE_HOME": str(tmp_path)}).is_relative_to(tmp_path)


def test_build_follows_a_failed_download(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network the CLI is built, and our language host is put beside it."""
    asked: list[str] = []

    def download(*_: object) -> None:
        asked.append("download")
        raise pulumi_download.DownloadError("no network")

    def build(version: str, folder: Path, *_: object) -> None:
        asked.append(f"build {version}")
        _program(folder / "bin" / "pulumi")

    monkeypatch.setattr(pulumi_download, "install", download)
    monkeypatch.setattr(pulumi_build, "install", build)
    monkeypatch.setattr(pulumi_host, "install", lambda folder, _: asked.append("host"))
    assert pulumi_cli.ensure(environ) == pulumi_cli.cache_folder(environ) / "bin"
    assert asked == ["download", f"build {pulumi_cli.VERSION}", "host"]


def test_neither_network_nor_go(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One message tells everything that was tried, why it failed, and the two ways out."""

    def download(*_: object) -> None:
        raise pulumi_download.DownloadError("no network")

    monkeypatch.setattr(pulumi_download, "install", download)
    with pytest.raises(PulumiMissingError) as caught:
        pulumi_cli.ensure(environ)
    for words in (
        "pulumi is not on PATH",
        "download: no network",
        "build: Go is not on PATH",
        "Install Pulumi",
        "Go 1.26",
    ):
        assert words in str(caught.value)


def test_variables_for_commands(environ: dict[str, str], tmp_path: Path) -> None:
    """State, home and passphrase lie in the repository's own folder; the passphrase is random and nobody else's."""
    _pulumi(environ, "v3.260.0")
    root = tmp_path / "repository"
    found = pulumi_cli.environment(root, environ)
    assert found["PULUMI_BACKEND_URL"] == f"file://{root}/.strata/state"
    assert (root / ".strata" / "state").is_dir()
    passphrase = Path(found["PULUMI_CONFIG_PASSPHRASE_FILE"])
    assert stat.S_IMODE(passphrase.stat().st_mode) == 0o600
    assert len(passphrase.read_text().strip()) >= 32
    again = pulumi_cli.environment(root, environ)
    assert again == found
    other = pulumi_cli.environment(tmp_path / "other", environ)
    assert Path(other["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text() != passphrase.read_text()


def test_own_settings_of_the_user_stay(environ: dict[str, str], tmp_path: Path) -> None:
    """Another backend, home or passphrase is respected, and no passphrase file is made then."""
    _pulumi(environ, "v3.260.0")
    own = {"PULUMI_BACKEND_URL": "s3://bank", "PULUMI_HOME": "/own", "PULUMI_CONFIG_PASSPHRASE": "own"}
    found = pulumi_cli.environment(tmp_path / "repository", {**environ, **own})
    assert found["PULUMI_BACKEND_URL"] == "s3://bank"
    assert found["PULUMI_HOME"] == "/own"
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in found
    assert not (tmp_path / "repository" / ".strata" / "passphrase").exists()


def test_a_user_own_plugins_are_not_touched(environ: dict[str, str], tmp_path: Path) -> None:
    """Only test harnesses keep the engine from downloading plugins."""
    _pulumi(environ, "v3.260.0")
    found = pulumi_cli.environment(tmp_path / "repository", environ)
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in found
    assert "PULUMI_IGNORE_AMBIENT_PLUGINS" not in found
