"""Finds and ends processes by a mark in their environment. Standard library only: the launcher has no packages.

Every process that the platform starts carries `STRATA_PROCESS=<root>/<name>`, and its children inherit it. A mark
survives what a pid file does not: a parent killed with -9, a reused pid, a child that moved to another process group.
On Linux the mark is read from `/proc`; elsewhere the recorded process group of the launcher stands in for it.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

MARK = "STRATA_PROCESS"
TERM_SECONDS = 8.0
"""How long a marked process may take to end by itself before it is killed, in seconds."""
LINUX = sys.platform.startswith("linux")


def mark(root: str, name: str) -> str:
    """Value of the mark of one process."""
    return f"{root}/{name}"


def find(root: str, name: str | None = None) -> list[int]:
    """Pids of living processes with the mark of one process, or of any process of the root."""
    if LINUX:
        return sorted(pid for pid in _own_pids() if _carries(pid, root, name))
    return sorted(_recorded_group_members(root, name))


def _carries(pid: int, root: str, name: str | None) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, UnicodeDecodeError):
        return False  # it ended meanwhile, or belongs to somebody else
    if stat.rpartition(")")[2].split()[0] == "Z":
        return False  # a zombie holds nothing
    key = f"{MARK}=".encode()
    found = next((entry.removeprefix(key) for entry in environment.split(b"\0") if entry.startswith(key)), b"")
    if name is None:
        return found.rpartition(b"/")[0] == os.fsencode(root)  # not a prefix: one root may lie below another
    return found == os.fsencode(mark(root, name))


def _own_pids() -> Iterator[int]:
    me = os.getuid()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if entry.stat().st_uid == me:
                yield int(entry.name)
        except OSError:
            continue  # ended between listing and stat


def descendants(pid: int) -> list[int]:
    """Pids below a process, however deep. A child that cleared its environment is found here and nowhere else."""
    rows = _ps("pid=,ppid=")
    children: dict[int, list[int]] = {}
    for child, parent in rows:
        children.setdefault(int(parent), []).append(int(child))
    found: list[int] = []
    queue = [pid]
    while queue:
        for child_pid in children.get(queue.pop(), []):
            found.append(child_pid)
            queue.append(child_pid)
    return found


def _ps(columns: str) -> list[list[str]]:
    if LINUX and columns == "pid=,ppid=":
        return [row for row in map(_stat_row, _own_pids()) if row]
    text = subprocess.run(["ps", "-axo", columns], capture_output=True, text=True, check=True).stdout
    return [line.split(None, columns.count("=") - 1) for line in text.splitlines() if line.strip()]


def _stat_row(pid: int) -> list[str]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, UnicodeDecodeError):
        return []
    return [str(pid), fields[1]]


def end(root: str, name: str | None = None, *, spare: Iterable[int] = (), seconds: float = TERM_SECONDS) -> list[int]:
    """Ends every process with the mark: asks first, kills what is left after `seconds`.

    Returns the pids that were found. `spare` and the calling process are left alone.
    """
    spared = {os.getpid(), *spare}

    def living() -> list[int]:
        return [pid for pid in find(root, name) if pid not in spared]

    found = living()
    if not found:
        return []
    deadline = time.monotonic() + seconds
    send(found, signal.SIGTERM)
    while living() and time.monotonic() < deadline:
        time.sleep(0.05)
    while left := living():  # again until none is left: a dying parent may still have started one
        send(left, signal.SIGKILL)
        time.sleep(0.05)
    return found


def send(pids: Iterable[int], number: int) -> None:
    """Sends a signal to each process that still exists."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue  # it ended by itself, which is what was wanted


def port_is_free(port: int) -> bool:
    """Whether a server could bind the port on 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_holders(port: int) -> list[int]:
    """Pids that listen on the port, as far as this user may see them."""
    if not LINUX:
        return _lsof_holders(port)
    inodes = _listening_inodes(port)
    if not inodes:
        return []
    wanted = {f"socket:[{inode}]" for inode in inodes}
    return sorted(pid for pid in _own_pids() if wanted & _open_files(pid))


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue  # a kernel without IPv6 has no tcp6
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _open_files(pid: int) -> set[str]:
    found = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                found.add(os.readlink(entry.path))
            except OSError:
                continue  # closed meanwhile
    except OSError:
        return set()
    return found


def _lsof_holders(port: int) -> list[int]:
    try:
        command = ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-t"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # 1: nobody listens
    except FileNotFoundError:
        return []
    return sorted(int(line) for line in done.stdout.split())


def describe(pid: int) -> str:
    """Pid and program name, for a message. Arguments are left out: they may hold what others must not see."""
    names = [name for found, name in _ps("pid=,comm=") if int(found) == pid]
    return f"process {pid} ({os.path.basename(names[0]) if names else 'ended meanwhile'})"


# Where there is no /proc, the launcher records its process group: supervisord makes each launcher a group leader.


def group_file(root: str, name: str) -> Path:
    """Where the launcher records its process group on systems without /proc."""
    return Path(root, "supervisor", "groups", f"{name}.json")


def record_group(root: str, name: str) -> None:
    """Records the calling process's group and when it began."""
    path = group_file(root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({"group": os.getpgid(0), "started": time.time()}))
    os.replace(draft, path)


def _recorded_group_members(root: str, name: str | None) -> set[int]:
    folder = group_file(root, "any").parent
    files = sorted(folder.glob("*.json")) if name is None else [group_file(root, name)]
    rows = _ps("pid=,pgid=,etime=")
    members: set[int] = set()
    for path in files:
        try:
            record = json.loads(path.read_text())
        except (OSError, ValueError):
            continue  # never started, or removed by a parallel delete
        for pid, group, age in rows:
            # A member cannot be older than the record by more than the clock's grain: else the number was reused.
            if int(group) == record["group"] and time.time() - _seconds(age) >= record["started"] - 5:
                members.add(int(pid))
    return members


def _seconds(elapsed: str) -> int:
    days, hours, minutes, seconds = re.fullmatch(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)", elapsed.strip()).groups("0")  # type: ignore[union-attr]
    return ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
