"""Building the CLI from its Go modules: with checksums on, all or nothing, and with words for what is missing."""

from pathlib import Path

import pytest

from tools import pulumi_build, pulumi_cli
from tools.pulumi_build import BuildError

VERSION = pulumi_cli.VERSION
# Stands in for Go: notes what it was asked, and builds a program that says the version of its first argument.
GO = """#!/bin/sh
echo "$PWD $*" >> "{log}"
case "$1" in
    version) echo "go version {go} linux/amd64" ;;
    list) {list} ;;
    build)
        echo some/package
        while [ "$1" != "-o" ]; do shift; done
        {build}
        printf '#!/bin/sh\\necho {says}\\n' > "$2/pulumi"
        chmod +x "$2/pulumi" ;;
esac
"""


class Machine:
    """A folder of programs with a stand-in for Go, and a cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.cache = folder / "cache"
        self.environ = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)}

    def has_go(self, go: str = "go1.26.8", listing: str = "echo a; echo b", build: str = ":", says: str = "") -> None:
        """Put the stand-in on PATH."""
        text = GO.format(log=self.log, go=go, list=listing, build=build, says=says or f"v{VERSION}")
        (self.folder / "go").write_text(text)
        (self.folder / "go").chmod(0o755)

    def install(self) -> list[str]:
        """Build into the cache; returns what was reported."""
        lines: list[str] = []
        pulumi_build.install(VERSION, self.cache, self.environ, lines.append)
        return lines


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without Go."""
    return Machine(tmp_path)


def test_builds_with_checksums_on(machine: Machine) -> None:
    """The committed go.mod and go.sum decide; the version is stamped; only the program is left in the cache."""
    machine.has_go()
    assert "checksums verified" in machine.install()[0]
    assert [path.name for path in machine.cache.iterdir()] == ["bin"]
    asked = [line for line in machine.log.read_text().splitlines() if " build " in line]
    assert len(asked) == 1
    assert asked[0].startswith(str(Path(pulumi_build.__file__).parent / "pulumi"))
    assert "-mod=readonly" in asked[0]
    assert f"common/version.Version=v{VERSION}" in asked[0]


@pytest.mark.parametrize(("go", "words"), [(None, "Go is not on PATH"), ("go1.20.14", "too old"), ("devel", "too old")])
def test_missing_or_old_go(machine: Machine, go: str | None, words: str) -> None:
    """Both are said before anything is fetched."""
    if go:
        machine.has_go(go)
    with pytest.raises(BuildError, match=words):
        machine.install()
    assert not (machine.cache / "bin").exists()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"listing": "echo 'dial tcp: no such host'; exit 1"}, "modules could not be had:\ndial tcp: no such host"),
        ({"build": "echo 'checksum mismatch' >&2; exit 1"}, "checksum mismatch"),
        ({"says": "v3.0.0"}, r"says version 'v3\.0\.0'"),
    ],
    ids=["no-network", "compiler", "version"],
)
def test_failed_build_leaves_nothing(machine: Machine, fault: dict[str, str], words: str) -> None:
    """No network, a changed module, a program of another version: the cache stays empty."""
    machine.has_go(**fault)
    with pytest.raises(BuildError, match=words):
        machine.install()
    assert list(machine.cache.iterdir()) == []


def test_versions_move_together() -> None:
    """The CLI, its Go modules and the SDK in the lock files are of one version."""
    repository = Path(pulumi_build.__file__).parents[1]
    modules = (repository / "tools" / "pulumi" / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{VERSION}" in modules
    assert f"github.com/pulumi/pulumi/sdk/v3 v{VERSION}" in modules
    for lock in ("requirements.txt", "tools/language_host/requirements.txt"):
        assert f"\npulumi=={VERSION} " in (repository / lock).read_text()
