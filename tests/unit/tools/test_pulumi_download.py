"""The official distribution is used only when it is exactly what was released."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from tools import pulumi_download
from tools.pulumi_download import MIRROR_VARIABLE, DownloadError

VERSION = "3.259.0"


def _archive(names: tuple[str, ...]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as content:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(name), 0o755
            content.addfile(info, io.BytesIO(name.encode()))
    return buffer.getvalue()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A mirror with a release for this platform."""
    return _mirror(tmp_path, _archive(("pulumi/pulumi", "pulumi/pulumi-language-python")))


def _mirror(tmp_path: Path, content: bytes, digest: str | None = None) -> Path:
    folder = tmp_path / "mirror" / f"v{VERSION}"
    folder.mkdir(parents=True)
    name = f"pulumi-v{VERSION}-{pulumi_download._platform()}.tar.gz"
    (folder / name).write_bytes(content)
    digest = digest or hashlib.sha256(content).hexdigest()
    (folder / f"pulumi-{VERSION}-checksums.txt").write_text(f"{'0' * 64}  other.tar.gz\n{digest}  {name}\n")
    return folder.parent


def _install(mirror: Path, target: Path) -> list[str]:
    lines: list[str] = []
    pulumi_download.install(VERSION, target, {MIRROR_VARIABLE: f"file://{mirror}"}, lines.append)
    return lines


def test_release_is_unpacked(mirror: Path, tmp_path: Path) -> None:
    """The programs are in `bin`, the marker tells where they come from, and nothing else is left."""
    lines = _install(mirror, tmp_path / "cache")
    assert (tmp_path / "cache" / "bin" / "pulumi").read_text() == "pulumi/pulumi"
    assert "sha256:" in (tmp_path / "cache" / "official").read_text()
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["bin", "official"]
    assert "checksum verified" in lines[0]


def test_changed_bytes_are_refused(tmp_path: Path) -> None:
    """An archive that is not the released one leaves nothing behind."""
    mirror = _mirror(tmp_path, _archive(("pulumi/pulumi",)), digest="1" * 64)
    with pytest.raises(DownloadError, match="the release says 1111"):
        _install(mirror, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("pulumi/pulumi",), "holds no pulumi-language-python"),
        (("../outside", "pulumi/pulumi-language-python"), "cannot be unpacked|does not belong"),
    ],
)
def test_strange_archives_are_refused(tmp_path: Path, names: tuple[str, ...], words: str) -> None:
    """An incomplete one, and one that writes outside of its folder."""
    mirror = _mirror(tmp_path, _archive(names))
    with pytest.raises(DownloadError, match=words):
        _install(mirror, tmp_path / "cache")
    assert not (tmp_path / "cache" / "bin").exists()
    assert not (tmp_path / "outside").exists()


def test_release_without_this_platform(mirror: Path, tmp_path: Path) -> None:
    """The checksums name the archives that exist."""
    (mirror / f"v{VERSION}" / f"pulumi-{VERSION}-checksums.txt").write_text(f"{'0' * 64}  other.tar.gz\n")
    with pytest.raises(DownloadError, match="do not name"):
        _install(mirror, tmp_path / "cache")


def test_no_network_is_said_soon(tmp_path: Path) -> None:
    """A name that cannot be resolved and a port that nobody serves fail by themselves, well within the test's time."""
    for address in ("http://127.0.0.1:9", "https://does-not-exist.invalid"):
        with pytest.raises(DownloadError, match=r"checksums\.txt"):
            pulumi_download.install(VERSION, tmp_path / "cache", {MIRROR_VARIABLE: address}, print)
    assert not (tmp_path / "cache").exists()


def test_strange_mirror(tmp_path: Path) -> None:
    """Only addresses of a kind that makes sense are opened."""
    with pytest.raises(DownloadError, match="must start with"):
        pulumi_download.install(VERSION, tmp_path, {MIRROR_VARIABLE: "ftp://mirror"}, print)
