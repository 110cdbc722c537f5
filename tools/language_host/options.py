"""What `runtime.options` of Pulumi.yaml, PulumiPolicy.yaml and PulumiPlugin.yaml mean for running Python."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TOOLCHAINS = ("pip",)
KNOWN = ("toolchain", "virtualenv", "typechecker")


class OptionError(ValueError):
    """An option that the host cannot honour; the message is meant for the user."""


@dataclass(frozen=True)
class Options:
    """How to start Python for one project, plugin or policy pack."""

    root: Path
    virtualenv: str

    @property
    def environment_folder(self) -> Path | None:
        """The virtual environment's absolute folder, or None where the ambient Python is used."""
        return Path(os.path.normpath(self.root / self.virtualenv)) if self.virtualenv else None

    @property
    def has_environment(self) -> bool:
        """Whether the folder named by the option holds a Python."""
        return self.environment_folder is None or (self.environment_folder / "bin" / "python").is_file()

    def python(self) -> str:
        """The interpreter to start.

        Raises:
            OptionError: the option names a folder that is not a virtual environment, or there is no Python at all.
        """
        folder = self.environment_folder
        if folder is None:
            return _ambient_python()
        if not self.has_environment:
            raise OptionError(_missing_environment(self.virtualenv, folder, self.root))
        return str(folder / "bin" / "python")

    def activated(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The variables with the virtual environment first on PATH, as its `activate` script would set them."""
        result = dict(environ)
        folder = self.environment_folder
        if folder is None:
            return result
        result.pop("PYTHONHOME", None)
        result["VIRTUAL_ENV"] = str(folder)
        result["PATH"] = os.pathsep.join(filter(None, (str(folder / "bin"), environ.get("PATH"))))
        return result


def parse(root: str, options: Mapping[str, object], *, plugin: bool = False) -> Options:
    """Read the options of one project; a plugin or pack without `virtualenv` uses `venv`, as in the official host.

    Raises:
        OptionError: with every option that is wrong, in one message.
    """
    problems = [
        f"runtime.options.{key}: must be text (found {type(options[key]).__name__})"
        for key in KNOWN
        if key in options and not isinstance(options[key], str)
    ]
    toolchain = options.get("toolchain", "pip")
    if isinstance(toolchain, str) and toolchain not in TOOLCHAINS:
        problems.append(
            f"runtime.options.toolchain: {toolchain!r} needs the official Pulumi distribution; this host knows pip only"
        )
    if options.get("typechecker"):
        problems.append("runtime.options.typechecker: needs the official Pulumi distribution; remove it")
    if problems:
        raise OptionError("\n".join(problems))
    virtualenv = str(options.get("virtualenv", "") or ("venv" if plugin else ""))
    return Options(Path(root), virtualenv)


def _ambient_python() -> str:
    wanted = [os.environ["PULUMI_PYTHON_CMD"]] if os.environ.get("PULUMI_PYTHON_CMD") else ["python3", "python"]
    for name in wanted:
        found = shutil.which(name)
        if found:
            return found
    if len(wanted) == 1:
        raise OptionError(f"PULUMI_PYTHON_CMD names {wanted[0]!r}, which is not on PATH")
    return sys.executable


def _missing_environment(option: str, folder: Path, root: Path) -> str:
    state = "is not a virtual environment" if folder.is_dir() else "does not exist"
    return (
        f"runtime.options.virtualenv is {option!r}, but {folder} {state}. Create it:\n"
        f"    python3 -m venv {folder}\n"
        f"    {folder}/bin/python -m pip install -r {root / 'requirements.txt'}"
    )
