"""Looks for everything that would stop the first process from starting, and lists all of it at once."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from components._kit import marks, supervisord

GIB = 1024**3
NEEDED_MEMORY_GIB = 2
NEEDED_DISK_GIB = 2
SOCKET_PATH_BYTES = 100
"""Linux allows 107 bytes in a unix socket's path, macOS 103; supervisord adds a suffix while it binds."""
PYTHON_VERSIONS = ((3, 11), (3, 13))
# -I: what is found must be in the environment itself, not in the folder somebody stands in.
_PROBE = (
    "import importlib.util, json, sys; "
    "print(json.dumps([list(sys.version_info[:2]), [m for m in sys.argv[1:] if importlib.util.find_spec(m) is None]]))"
)


def problems(root: str, python: str | None, ports: Sequence[int], modules: Sequence[str]) -> list[str]:
    """Everything that is wrong, each with what was found and what to do; empty if the platform can start.

    `python` is None while the environment is still to be made: a preview must not ask for what `up` will make.
    """
    found = folder_problems(root) + port_problems(root, ports)
    found += python_problems(python, modules) if python else []
    return found + memory_problems() + disk_problems(root)


def folder_problems(root: str) -> list[str]:
    """Whether the platform folder can be made, written and used for the control socket; a preview asks, so no write."""
    found = []
    length = len(os.fsencode(supervisord.socket_path(root)))
    if length >= SOCKET_PATH_BYTES:
        found.append(
            f"the path of the control socket, {supervisord.socket_path(root)}, has {length} bytes; fewer than "
            f"{SOCKET_PATH_BYTES} are allowed: choose a shorter data_dir"
        )
    if why := _not_writable(nearest(root)):
        found.append(f"data_dir {root} cannot be written ({why}); choose another one or change its owner")
    return found


def nearest(root: str) -> Path:
    """The platform folder, or the lowest part of its path that is there: looking makes nothing."""
    place = Path(root)
    while not place.exists():
        place = place.parent
    return place


def _not_writable(place: Path) -> str:
    """Why nothing can be made in a place; empty if it can."""
    if not place.is_dir():
        return f"{place} is no folder"
    return "" if os.access(place, os.W_OK | os.X_OK) else f"no right to write in {place}"


def port_problems(root: str, ports: Sequence[int]) -> list[str]:
    """Ports that somebody else holds. What this platform itself holds is no problem."""
    own = set(marks.find(root))
    found = []
    for port in ports:
        if marks.port_is_free(port):
            continue
        holders = marks.port_holders(port)
        if own & set(holders):
            continue
        who = ", ".join(map(marks.describe, holders)) or "a process of another user"
        found.append(f"port {port} on 127.0.0.1 is taken by {who}; end it or choose another port base")
    return found


def python_problems(python: str, modules: Sequence[str]) -> list[str]:
    """Whether the run-time environment has the right Python and every package."""
    remedy = "install the environment again with `make environments`"
    try:
        done = subprocess.run(
            [python, "-I", "-c", _PROBE, *modules], capture_output=True, text=True, timeout=60, check=False
        )
    except OSError as error:
        return [f"the run-time Python {python} cannot be started ({error.strerror}); {remedy}"]
    if done.returncode != 0:
        return [f"the run-time Python {python} does not work: {done.stderr.strip()[-300:]}; {remedy}"]
    version, missing = json.loads(done.stdout)
    found = []
    lowest, highest = PYTHON_VERSIONS
    if not lowest <= tuple(version) <= highest:
        found.append(f"the run-time Python is {version[0]}.{version[1]}; 3.11 to 3.13 are supported; {remedy}")
    if missing:
        found.append(f"the run-time environment lacks {', '.join(missing)}; {remedy}")
    return found


def memory_problems() -> list[str]:
    """Whether enough memory is free."""
    free = free_memory_bytes()
    if free >= NEEDED_MEMORY_GIB * GIB:
        return []
    return [f"{free / GIB:.1f} GiB of memory are free, {NEEDED_MEMORY_GIB} GiB are needed; end other programs"]


def free_memory_bytes() -> int:
    """Memory that programs could still get. Where the kernel does not tell, all memory of the machine."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    kibibytes = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    return kibibytes * 1024


def disk_problems(root: str) -> list[str]:
    """Whether enough disk is free where the platform folder is or will be."""
    place = nearest(root)
    free = shutil.disk_usage(place).free
    if free >= NEEDED_DISK_GIB * GIB:
        return []
    found = f"{free / GIB:.1f} GiB of disk are free in {place}, {NEEDED_DISK_GIB} GiB are needed"
    return [f"{found}; free some or choose another data_dir"]
