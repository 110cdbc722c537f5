"""Downloads the official Pulumi distribution, verified against the checksums of the release."""

import hashlib
import os
import platform
import shutil
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from tools import progress

RELEASES = "https://github.com/pulumi/pulumi/releases/download"
MIRROR_VARIABLE = "STRATA_PULUMI_RELEASES"  # a bank's own mirror, laid out like the address above
_CONNECT_SECONDS = 5.0
_CHUNK_BYTES = 1 << 20
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


class DownloadError(RuntimeError):
    """The distribution could not be downloaded or is not what was released."""


def install(version: str, folder: Path, environ: Mapping[str, str], report: Callable[[str], None]) -> None:
    """Download `version` for this platform and unpack it into `folder`/bin, checked, all or nothing.

    Raises:
        DownloadError: within seconds where there is no network.
    """
    started = time.monotonic()
    base = environ.get(MIRROR_VARIABLE) or RELEASES
    if not base.startswith(("https://", "http://", "file://")):
        raise DownloadError(f"{MIRROR_VARIABLE} is {base!r}; it must start with https://, http:// or file://")
    archive = f"pulumi-v{version}-{_platform()}.tar.gz"
    expected = _checksum(_read(f"{base}/v{version}/pulumi-{version}-checksums.txt"), archive)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="download-", dir=folder) as name:
        temporary = Path(name)
        found = _fetch(f"{base}/v{version}/{archive}", temporary / archive)
        if found != expected:
            raise DownloadError(f"{archive} has SHA-256 {found}, the release says {expected}; it was not used")
        _unpack(temporary / archive, temporary)
        if not (temporary / "pulumi" / "pulumi-language-python").is_file():
            raise DownloadError(f"{archive} holds no pulumi-language-python")
        shutil.rmtree(folder / "bin", ignore_errors=True)
        os.rename(temporary / "pulumi", folder / "bin")
        (folder / "official").write_text(f"{archive} sha256:{expected}\n", encoding="utf-8")
    report(progress.line(f"pulumi {version}", "official distribution, checksum verified", time.monotonic() - started))


def _platform() -> str:
    machine = _MACHINES.get(platform.machine().lower())
    if machine is None or sys.platform not in ("linux", "darwin"):
        raise DownloadError(f"there is no official distribution for {sys.platform} on {platform.machine()}")
    return f"{sys.platform}-{machine}"


def _read(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=_CONNECT_SECONDS) as answer:  # noqa: S310 - checked in install
            return str(answer.read(_CHUNK_BYTES), "utf-8")
    except OSError as error:
        raise DownloadError(f"{address}: {error}") from error


def _checksum(text: str, archive: str) -> str:
    for line in text.splitlines():
        digest, _, name = line.partition(" ")
        if name.strip().lstrip("*") == archive:
            return digest.lower()
    raise DownloadError(f"the checksums of the release do not name {archive}")


def _fetch(address: str, target: Path) -> str:
    """Write the answer to `target` and return its SHA-256."""
    state = hashlib.sha256()
    try:
        with urllib.request.urlopen(address, timeout=_CONNECT_SECONDS) as answer, target.open("wb") as file:  # noqa: S310
            total = int(answer.headers.get("Content-Length") or 0)
            done = 0
            while chunk := answer.read(_CHUNK_BYTES):
                file.write(chunk)
                state.update(chunk)
                done += len(chunk)
                progress.redraw(f" … pulumi                   {done >> 20} of {total >> 20} MiB")
    except OSError as error:
        raise DownloadError(f"{address}: {error}") from error
    finally:
        progress.redraw("")
    return state.hexdigest()


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive) as content:
            if hasattr(tarfile, "data_filter"):
                content.extractall(folder, filter="data")
            else:
                _refuse_outside(content)
                content.extractall(folder)  # noqa: S202 - members were checked; this Python has no filter
    except tarfile.TarError as error:
        raise DownloadError(f"{archive.name} cannot be unpacked: {error}") from error


def _refuse_outside(content: tarfile.TarFile) -> None:
    for member in content.getmembers():
        if not member.name.startswith("pulumi/") or ".." in Path(member.name).parts or member.issym():
            raise DownloadError(f"the archive holds {member.name!r}, which does not belong into it")
