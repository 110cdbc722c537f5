"""Finds the Pulumi CLI, or puts one into the user's cache: downloaded, or built from its Go modules.

python3 -m tools.pulumi_cli            make sure that there is one and print the folder of its programs
python3 -m tools.pulumi_cli env        print the variables that Strata sets for it, for `eval`
"""

import argparse
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tools import locking, pulumi_build, pulumi_download, pulumi_host

VERSION = "3.259.0"
MINIMUM = (3, 249)
_PROGRAM = "pulumi"
_HOST = "pulumi-language-python"

Report = Callable[[str], None]


class PulumiMissingError(RuntimeError):
    """There is no usable Pulumi CLI; the message says what was tried and what to do."""


def find(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of a usable Pulumi CLI: on PATH if it is new enough and has its language host, else in the cache.

    Raises:
        PulumiMissingError: there is neither.
    """
    environ = os.environ if environ is None else environ
    on_path, reason = _on_path(environ)
    if on_path is not None:
        return on_path
    cached = cache_folder(environ) / "bin"
    if _is_complete(cached):
        return cached
    raise PulumiMissingError(f"no usable Pulumi CLI: {reason}; {cached} has none. Run: make up")


def ensure(environ: Mapping[str, str] | None = None, report: Report = print) -> Path:
    """Like `find`, and where there is none, download the official distribution or build from Go modules.

    Raises:
        PulumiMissingError: neither network nor Go could help.
    """
    environ = os.environ if environ is None else environ
    on_path, reason = _on_path(environ)
    if on_path is not None:
        return on_path
    folder = cache_folder(environ)
    with locking.exclusive(folder.with_name(folder.name + ".lock"), f"pulumi {VERSION}"):
        if not (folder / "bin" / _PROGRAM).is_file():
            _install(folder, reason, environ, report)
        if not _is_official(folder):
            pulumi_host.install(folder, report)
    return folder / "bin"


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where this version is kept: one copy per user, whatever the number of clones."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".cache"
    return Path(base) / "strata" / "pulumi" / f"v{VERSION}"


def environment(root: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables that Pulumi commands on the repository at `root` need, to be laid over the present ones.

    Whatever the user has set stays: another backend, another PULUMI_HOME, a passphrase. Creates the folders and, once,
    a random passphrase file (mode 0600) that encrypts the secrets in the state.

    Raises:
        PulumiMissingError: see `find`.
    """
    environ = os.environ if environ is None else environ
    programs = find(environ)
    own = root / ".strata"
    result = {
        "PATH": os.pathsep.join([str(programs), environ.get("PATH", os.defpath)]),
        "PULUMI_HOME": environ.get("PULUMI_HOME") or str(_folder(own / "pulumi-home")),
        "PULUMI_BACKEND_URL": environ.get("PULUMI_BACKEND_URL") or f"file://{_folder(own / 'state')}",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_NEO": "false",
        "PULUMI_SUPPRESS_NEO_LINK": "true",
    }
    if not any(environ.get(name) for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")):
        result["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(_passphrase_file(own / "passphrase"))
    if programs == cache_folder(environ) / "bin" and not _is_official(programs.parent):
        # Only the official distribution belongs to the registry that these would ask.
        result["PULUMI_DISABLE_REGISTRY_RESOLVE"] = "true"
        result["PULUMI_CREDENTIAL_STORE"] = "plaintext"
    return result


def _install(folder: Path, reason: str, environ: Mapping[str, str], report: Report) -> None:
    tried = [reason]
    try:
        pulumi_download.install(VERSION, folder, environ, report)
    except pulumi_download.DownloadError as error:
        tried.append(f"download: {error}")
    else:
        return
    try:
        pulumi_build.install(VERSION, folder, environ, report)
    except pulumi_build.BuildError as error:
        tried.append(f"build: {error}")
    else:
        return
    raise PulumiMissingError(
        "there is no Pulumi CLI, and none could be had:\n"
        + "\n".join(f"  - {text}" for text in tried)
        + "\nInstall Pulumi 3.249 or later (https://www.pulumi.com/docs/install/), or Go 1.26 with access to a module"
        " proxy, then run the same command again."
    )


def _on_path(environ: Mapping[str, str]) -> tuple[Path | None, str]:
    """The folder of the CLI on PATH, or None and why that one is not usable."""
    program = shutil.which(_PROGRAM, path=environ.get("PATH", os.defpath))
    if program is None:
        return None, "pulumi is not on PATH"
    version = _version(program)
    if version is None:
        return None, f"{program} does not say its version"
    if version < MINIMUM:
        return None, f"{program} is {'.'.join(map(str, version))}, older than {'.'.join(map(str, MINIMUM))}"
    folder = Path(program).resolve().parent
    beside = (folder / _HOST).is_file() or shutil.which(_HOST, path=environ.get("PATH", os.defpath)) is not None
    if not beside:
        return None, f"{program} comes without {_HOST}"
    return Path(program).parent, ""


def _version(program: str) -> tuple[int, int, int] | None:
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=False)
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout.strip())
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in (_PROGRAM, _HOST))


def _is_official(folder: Path) -> bool:
    return (folder / "official").is_file()


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def _passphrase_file(path: Path) -> Path:
    if not path.exists():
        _folder(path.parent)
        new = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        try:
            os.link(new, path)  # unlike a rename, it does not overwrite what another process made meanwhile
        except FileExistsError:
            pass  # then that one counts
        finally:
            new.unlink()
    return path


def main(arguments: list[str] | None = None) -> int:
    """The command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.pulumi_cli", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["ensure", "env"], default="ensure")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    given = parser.parse_args(arguments)
    try:
        if given.command == "ensure":
            print(ensure(report=lambda text: print(text, file=sys.stderr, flush=True)))
        else:
            for name, value in environment(given.root).items():
                print(f"export {name}={shlex.quote(value)}")
    except (PulumiMissingError, pulumi_host.HostError, locking.Busy) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
