"""Builds the Pulumi CLI from its Go modules: for machines with a module proxy and no way to the official download.

`tools/pulumi/go.mod` names the versions and `go.sum` the checksums of every module; Go verifies them all.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tools import progress

MINIMUM_GO = (1, 21)  # the first that fetches the newer toolchain which go.mod asks for
_MODULE = Path(__file__).resolve().parent / "pulumi"
_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


class BuildError(RuntimeError):
    """The CLI could not be built; the message says why."""


def install(version: str, folder: Path, environ: Mapping[str, str], report: Callable[[str], None]) -> None:
    """Build `version` into `folder`/bin/pulumi: into a temporary folder first, then renamed.

    Raises:
        BuildError: no Go, an old one, no network for the modules, or the compiler failed.
    """
    go = _go(environ)
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    variables = {**environ, "CGO_ENABLED": "0"}
    with tempfile.TemporaryDirectory(prefix="build-", dir=folder) as temporary:
        total = _packages(go, variables)
        command = [go, "build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false"]
        command += ["-tags", "osusergo,grpcnotrace", "-ldflags", f"-s -w -X {_VERSION_VARIABLE}=v{version}"]
        command += ["-o", temporary, _PACKAGE]
        code, last = progress.run(
            command,
            f"pulumi {version}",
            variables,
            folder=_MODULE,
            detail=lambda output: f"compiling {_compiled(output)} of up to {total} packages",
        )
        if code != 0:
            raise BuildError(f"`go build` ended with exit code {code}:\n{last}")
        _verify(Path(temporary) / "pulumi", version)
        (folder / "bin").mkdir(exist_ok=True)
        os.replace(Path(temporary) / "pulumi", folder / "bin" / "pulumi")
    report(progress.line(f"pulumi {version}", "built from Go modules, checksums verified", time.monotonic() - started))


def _go(environ: Mapping[str, str]) -> str:
    go = shutil.which("go", path=environ.get("PATH", os.defpath))
    if go is None:
        raise BuildError("Go is not on PATH")
    done = subprocess.run([go, "version"], capture_output=True, text=True, check=False)
    match = re.search(r"go(\d+)\.(\d+)", done.stdout)
    if match is None or (int(match[1]), int(match[2])) < MINIMUM_GO:
        raise BuildError(f"{go} is too old ({done.stdout.strip() or 'no version'}); 1.21 or later is needed")
    return go


def _packages(go: str, variables: Mapping[str, str]) -> int:
    """Count what the program is made of; fetches the modules, so a missing network is found here."""
    command = [go, "list", "-mod=readonly", "-tags", "osusergo,grpcnotrace", "-deps", _PACKAGE]
    code, last = progress.run(command, "pulumi modules", variables, folder=_MODULE, detail=_fetched, tail_lines=5000)
    if code != 0:
        raise BuildError("the Go modules could not be had:\n" + "\n".join(last.splitlines()[-8:]))
    return len(last.splitlines())


def _fetched(output: str) -> str:
    return f"fetched {output.count('go: downloading ')} modules"


def _compiled(output: str) -> int:
    return sum(1 for line in output.splitlines() if not line.startswith("go: "))


def _verify(program: Path, version: str) -> None:
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=False)
    if done.stdout.strip() != f"v{version}":
        raise BuildError(f"the program that was built says version {done.stdout.strip()!r}, not v{version}")
