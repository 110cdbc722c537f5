"""What the supervisor and the launcher are told about one process, as files."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components._kit import disk, marks, supervisord

LAUNCHER = Path(__file__).with_name("launcher.py")
STOP_SECONDS = 20
"""Above what the launcher gives its program, so that it can end the whole group before it is killed itself."""
START_RETRIES = 5
START_SECONDS = 2


@dataclass(frozen=True)
class Program:
    """One process as it should be."""

    root: str
    name: str
    python: str
    command: Sequence[str]
    port: int
    health: str
    health_timeout_seconds: float
    env: Mapping[str, str]
    secret_env: Mapping[str, str]
    configuration: Mapping[str, str]

    @classmethod
    def of(cls, props: Mapping[str, Any]) -> "Program":
        """Program of a resource's inputs. Numbers arrive as floats; an older state may lack a key and must still go."""
        return cls(
            root=props["root"],
            name=props["name"],
            python=props["python"],
            command=list(props["command"]),
            port=int(props["port"]),
            health=props["health"],
            health_timeout_seconds=float(props["health_timeout_seconds"]),
            env=dict(props["env"]),
            secret_env=dict(props.get("secret_env") or {}),
            configuration=dict(props["configuration"]),
        )

    @property
    def log(self) -> Path:
        """Where it writes; the supervisor rotates it."""
        return Path(self.root, "logs", f"{self.name}.log")

    @property
    def files(self) -> Mapping[Path, bytes]:
        """Files that describe it; mode 0600, because the environment may hold secrets."""
        folder = supervisord.programs(self.root)
        return {folder / f"{self.name}.json": self._for_launcher(), folder / f"{self.name}.ini": self._for_supervisor()}

    def _for_launcher(self) -> bytes:
        # `configuration` is not needed to start; it stands here so that a change of a file it digests means a restart.
        told = {
            "command": list(self.command),
            "configuration": dict(self.configuration),
            "env": {**self.env, **self.secret_env},
            "folder": self.root,
            "port": self.port,
            "stop_seconds": marks.TERM_SECONDS,
        }
        return (json.dumps(told, indent=1, sort_keys=True) + "\n").encode()

    def _for_supervisor(self) -> bytes:
        lines = [
            f"[program:{self.name}]",
            # -I -S: the launcher needs no package, and starts faster and smaller without looking for any.
            f"command={self.python} -I -S {LAUNCHER} {self.name} {self.root}",
            f'environment=STRATA_PROCESS="{self.root}/{self.name}"',
            f"directory={self.root}",
            f"stdout_logfile={self.log}",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=5",
            "redirect_stderr=true",
            "autostart=true",
            "autorestart=true",
            f"startretries={START_RETRIES}",
            f"startsecs={START_SECONDS}",
            "stopasgroup=true",
            "killasgroup=true",
            f"stopwaitsecs={STOP_SECONDS}",
            "",
        ]
        return "\n".join(lines).encode()

    def written(self) -> bool:
        """Whether the files are there and hold exactly this."""
        return all(disk.holds(path, content, 0o600) for path, content in self.files.items())

    def write(self) -> bool:
        """Writes the files; returns whether anything changed."""
        changed = [disk.write(path, content, 0o600) for path, content in self.files.items()]
        return any(changed)

    def remove(self) -> None:
        """Removes the files; the log stays."""
        for path in self.files:
            path.unlink(missing_ok=True)

    def last_words(self, lines: int = 20) -> str:
        """Last lines of the log, with secrets of the environment blanked."""
        try:
            text = self.log.read_text(errors="replace")
        except FileNotFoundError:
            return "(no log)"
        for value in filter(None, self.secret_env.values()):
            text = text.replace(value, "***")
        return "\n".join(text.splitlines()[-lines:]) or "(empty log)"


def unusable(text: str) -> list[str]:
    """Characters of a path that the supervisor's configuration cannot hold, or would read as something else."""
    return sorted({character for character in text if character.isspace() or character in "%;,\"'\\#"})


if sys.platform == "win32":
    raise ImportError("The local target needs unix sockets and fork, which Windows does not have; use WSL.")
