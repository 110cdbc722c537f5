"""The foundation's `host` on one machine: where a stage's files, ports and processes go."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components._kit.files import Directory, File
from components._kit.process import Process

CONTRACT_VERSION = 1
DEFAULT_PORT_BASE = 25100
PORTS = {
    "mlflow": 0,
    "prediction": 1,
    "portal": 2,
    "scheduler": 3,
    "challenger": 4,
    "receiver": 5,
    "alerting": 6,
    "prometheus": 7,
    "alertmanager": 8,
    "features": 9,
}
"""Offset of each process from the port base. All bind 127.0.0.1 only."""
TEMPORARY = "tmp"
"""Folder for temporary files of all processes; it goes with the foundation."""
UNAVAILABLE = "unavailable: local"
"""Reason of every output that a single machine cannot have."""


def environment(root: str, python: str) -> dict[str, str]:
    """Environment of every process; nothing is inherited that does not stand here."""
    binaries = python.rpartition("/")[0]
    temporary = f"{root}/{TEMPORARY}"
    return {
        "HOME": temporary,  # libraries leave caches in it; a person's own home is none of their business
        "LANG": "C.UTF-8",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "OMP_NUM_THREADS": "1",
        "PATH": f"{binaries}:/usr/bin:/bin",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": temporary,
    }


def digest(content: str) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(content.encode()).hexdigest()


def _merged(parts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {key: value for part in parts for key, value in part.items()}


class Placement:
    """Puts files and processes of one component where they belong."""

    def __init__(self, component: pulumi.ComponentResource, name: str, host: pulumi.Input[Mapping[str, Any]]) -> None:
        """Places children of the component, named after it."""
        self._component = component
        self._name = name
        self._host = pulumi.Output.from_input(host)
        self.root: pulumi.Output[str] = self._host["root"]
        self.python: pulumi.Output[str] = self._host["python"]

    def options(self, depends_on: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        """Options of a child."""
        return pulumi.ResourceOptions(parent=self._component, depends_on=list(depends_on))

    def path(self, below: str) -> pulumi.Output[str]:
        """Path below the platform folder."""
        return pulumi.Output.concat(self.root, "/", below)

    def port(self, process: str) -> pulumi.Output[int]:
        """Port of a process. Numbers come back from the engine as floats."""
        return self._host["port_base"].apply(lambda base: int(base) + PORTS[process])

    def url(self, process: str, path: str = "") -> pulumi.Output[str]:
        """Address of a process."""
        return self.port(process).apply(lambda port: f"http://127.0.0.1:{port}{path}")

    def directory(self, below: str) -> Directory:
        """A folder below the platform folder."""
        return Directory(f"{self._name}-folder-{below.replace('/', '-')}", path=self.path(below), opts=self.options())

    def file(
        self, name: str, below: str, content: pulumi.Input[str], depends_on: Sequence[pulumi.Resource] = ()
    ) -> File:
        """A file below the platform folder."""
        return File(f"{self._name}-{name}", path=self.path(below), content=content, opts=self.options(depends_on))

    def platform_file(self, stage: str, content: Mapping[str, Any]) -> File:
        """What the run-time plane may know of a stage: references, never secret values."""
        told = pulumi.Output.json_dumps({"contract_version": CONTRACT_VERSION, **content}, indent=1, sort_keys=True)
        return File(
            f"{self._name}-platform",
            path=self.path(f"platform/{stage}.json"),
            content=told.apply(lambda text: text + "\n"),
            opts=self.options(),
        )

    def process(
        self,
        name: str,
        command: Sequence[pulumi.Input[str]],
        *,
        health: str,
        reads: File,
        depends_on: Sequence[pulumi.Resource] = (),
        health_timeout_seconds: float = 120.0,
        env: Mapping[str, pulumi.Input[str]] | None = None,
        secret_env: Mapping[str, pulumi.Input[str]] | None = None,
        python: pulumi.Output[str] | None = None,
    ) -> Process:
        """A process of this component.

        It reads the foundation's platform file and `reads` when it starts, so a change of either restarts it.
        """
        interpreter = python if python is not None else self.python
        base = pulumi.Output.all(self.root, interpreter).apply(lambda found: environment(*found))
        own = pulumi.Output.from_input(dict(env or {}))
        return Process(
            f"{self._name}-{name}",
            root=self.root,
            python=self.python,
            name=name,
            command=command,
            port=self.port(name),
            health=health,
            health_timeout_seconds=health_timeout_seconds,
            env=pulumi.Output.all(base, own).apply(_merged),
            secret_env=pulumi.Output.all(dict(secret_env or {})).apply(_merged),
            configuration={"foundation": self._host["digest"], "stage": reads.content.apply(digest)},
            opts=self.options([reads, *depends_on]),
        )

    def mlstep(self, python: pulumi.Output[str], *arguments: str, process: str) -> list[pulumi.Input[str]]:
        """Command line of one of our own services."""
        port = self.port(process).apply(str)
        return [self.program(python), *arguments, "--root", self.root, "--port", port]

    @staticmethod
    def program(python: pulumi.Output[str]) -> pulumi.Output[str]:
        """The `mlstep` command beside an environment's Python."""
        return python.apply(lambda path: f"{path.rpartition('/')[0]}/mlstep")
