"""A platform folder of a test's own, with ports of its own, and a project that puts real processes into it."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from components._kit import marks
from tests.engine.harness import Engine, Result

REPOSITORY = Path(__file__).parents[2]
RUN_TIME = REPOSITORY / ".strata" / "envs" / "run-time"
HTTP_PROGRAM = Path(__file__).with_name("http_program.py")
PORTS = 10
PROJECT = "name: {name}\nruntime: {{name: python, options: {{toolchain: pip, virtualenv: .venv}}}}\n"
PROCESSES = """
import json

from components._kit.files import Directory
from components._kit.process import Process
from components._kit.supervisor import Supervisor

with open("wanted.json") as stream:
    wanted = json.load(stream)
root = Directory("root", path=wanted["root"])
supervisor = Supervisor(
    "supervisor", root=root.path, python=wanted["python"], ports=wanted["ports"], modules=["supervisor"]
)
for process in wanted["processes"]:
    Process(process["name"], root=supervisor.root, python=supervisor.python, health="/healthz", **process)
"""
Found = TypeVar("Found")


def wait_for(what: str, condition: Callable[[], Found], seconds: float = 60.0) -> Found:
    """Return the condition's value as soon as it is true; fail with `what` if it never is."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)
    return found


def free_port_base() -> int:
    """First of ten free ports; the search begins elsewhere in every test process."""
    start = 28000 + os.getpid() % 200 * PORTS
    for base in range(start, 32000, PORTS):
        if all(marks.port_is_free(base + offset) for offset in range(PORTS)):
            return base
    raise AssertionError("no ten free ports in a row")


class LocalPlatform:
    """One root, one project, one stack. `close` ends what is left, by mark, and says what it was."""

    def __init__(self, engine: Engine, folder: Path, environment: Path) -> None:
        """Makes the project; the root is short, because a socket's path must be."""
        self.engine = engine
        self.folder = folder
        self.root = Path(tempfile.mkdtemp(prefix="strata-")).resolve()
        self.base = free_port_base()
        self.python = str(RUN_TIME / "bin" / "python")
        # A project of its own: the session has one backend, and a state is found by project and stack.
        self.write("Pulumi.yaml", PROJECT.format(name=self.root.name))
        self.write("__main__.py", PROCESSES)
        (folder / ".venv").symlink_to(environment, target_is_directory=True)

    def write(self, name: str, text: str) -> None:
        """Writes a file of the project."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def want(self, *processes: Mapping[str, Any]) -> None:
        """Says which processes the next `up` shall make."""
        ports = [self.base + offset for offset in range(PORTS)]
        wanted = {"root": str(self.root), "python": self.python, "ports": ports, "processes": list(processes)}
        self.write("wanted.json", json.dumps(wanted))

    def process(self, name: str, offset: int, secret: str = "", **env: str) -> dict[str, Any]:
        """Inputs of a process that runs the small HTTP program."""
        port = self.base + offset
        command = [self.python, str(HTTP_PROGRAM), "--port", str(port)]
        environment = {"PATH": "/usr/bin:/bin", **env}
        return {"name": name, "port": port, "command": command, "env": environment, "secret_env": {"SECRET": secret}}

    def up(self, *arguments: str) -> Result:
        """`pulumi up` that must succeed."""
        result = self.engine.up(self.folder, arguments=arguments)
        assert result.ok, result.output
        return result

    def preview(self, *arguments: str) -> Result:
        """`pulumi preview`, whatever comes of it."""
        return self.engine.preview(self.folder, arguments=arguments)

    def unchanged(self) -> bool:
        """Whether a preview finds nothing to do."""
        return self.preview("--expect-no-changes").ok

    def destroy(self) -> None:
        """`pulumi destroy` that must succeed and leave no process and no port."""
        result = self.engine.destroy(self.folder)
        assert result.ok, result.output
        assert self.pids() == []
        assert [port for port in range(self.base, self.base + PORTS) if not marks.port_is_free(port)] == []

    def pids(self, name: str | None = None) -> list[int]:
        """Living processes with the mark of one process, or of any of this root."""
        return marks.find(str(self.root), name)

    def programs(self, name: str) -> list[int]:
        """Living processes of a program, without its launcher."""
        return [pid for pid in self.pids(name) if b"launcher.py" not in command_line(pid)]

    def log(self, name: str) -> str:
        """What a process has written."""
        return (self.root / "logs" / f"{name}.log").read_text(encoding="utf-8")

    def close(self) -> Sequence[int]:
        """Ends what is left and removes the root."""
        left = marks.end(str(self.root))
        shutil.rmtree(self.root)
        return left


def command_line(pid: int) -> bytes:
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
