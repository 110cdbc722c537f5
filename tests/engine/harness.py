"""The real Pulumi engine for tests: an own PULUMI_HOME, an own file backend, no network, and what it said as data."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# A test must never wait for a network that it does not need, nor find plugins that it was not given.
# PULUMI_DEBUG_COMMANDS brings `--event-log`.
_QUIET: Mapping[str, str] = {
    "NO_COLOR": "1",
    "PULUMI_CONFIG_PASSPHRASE": "a passphrase for tests",
    "PULUMI_CREDENTIAL_STORE": "plaintext",
    "PULUMI_DEBUG_COMMANDS": "true",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
    "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
    "PULUMI_NEO": "false",
    "PULUMI_SKIP_CONFIRMATIONS": "true",
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_SUPPRESS_NEO_LINK": "true",
}
_TIMEOUT_SECONDS = 240


@dataclass(frozen=True)
class Result:
    """How one command ended: exit code, everything it printed, and the engine's events."""

    code: int
    output: str
    events: Sequence[Mapping[str, Any]] = ()

    @property
    def ok(self) -> bool:
        """Whether the command succeeded."""
        return self.code == 0

    @property
    def changes(self) -> dict[str, int]:
        """How many resources were (or would be) created, updated, kept …, as the engine counts them."""
        found = [event["summaryEvent"]["resourceChanges"] for event in self.events if "summaryEvent" in event]
        return dict(found[-1]) if found else {}

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        """(operation, resource type, resource name) in the order in which the engine began them."""
        metadata = [event["resourcePreEvent"]["metadata"] for event in self.events if "resourcePreEvent" in event]
        return [(item["op"], item["type"], item["urn"].split("::")[-1]) for item in metadata]

    @property
    def violations(self) -> list[tuple[str, str, str]]:
        """(policy, enforcement level, message) of every policy that was broken."""
        found = [event["policyEvent"] for event in self.events if "policyEvent" in event]
        return [(item["policyName"], item["enforcementLevel"], item["message"]) for item in found]

    def messages(self, severity: str) -> str:
        """The diagnostics of one severity (`info`, `warning`, `error`), joined."""
        found = [event["diagnosticEvent"] for event in self.events if "diagnosticEvent" in event]
        return "\n".join(item["message"] for item in found if item["severity"] == severity)


@dataclass
class Engine:
    """Runs Pulumi commands. `environment` may be extended by a test; it is laid over the caller's variables."""

    programs: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    _known: set[tuple[Path, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        state = self.folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        path = os.pathsep.join([str(self.programs), os.environ.get("PATH", os.defpath)])
        own = {"PATH": path, "PULUMI_HOME": str(self.folder / "home"), "PULUMI_BACKEND_URL": f"file://{state}"}
        self.environment = {**_QUIET, **own, **self.environment}

    @property
    def variables(self) -> dict[str, str]:
        """All variables for a command that a test starts itself."""
        return {**os.environ, **self.environment}

    def command(self, project: Path, *arguments: str) -> Result:
        """Run `pulumi` with these arguments in the folder of a project."""
        command = [str(self.programs / "pulumi"), *arguments, "--non-interactive"]
        done = subprocess.run(
            command,
            cwd=project,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        return Result(done.returncode, done.stdout)

    def up(self, project: Path, stack: str = "dev", **options: Any) -> Result:
        """`pulumi up`, creating the stack when there is none. Options: see `_operate`."""
        return self._operate("up", project, stack, ("--skip-preview",), **options)

    def preview(self, project: Path, stack: str = "dev", **options: Any) -> Result:
        """`pulumi preview`, creating the stack when there is none. Options: see `_operate`."""
        return self._operate("preview", project, stack, (), **options)

    def refresh(self, project: Path, stack: str = "dev", **options: Any) -> Result:
        """`pulumi refresh`: the state learns what the world has become."""
        return self._operate("refresh", project, stack, ("--skip-preview",), **options)

    def destroy(self, project: Path, stack: str = "dev", **options: Any) -> Result:
        """`pulumi destroy`."""
        return self._operate("destroy", project, stack, ("--skip-preview",), **options)

    def export(self, project: Path, stack: str = "dev") -> dict[str, Any]:
        """The stack's state, secrets encrypted."""
        return self._json(project, "stack", "export", "--stack", stack)

    def outputs(self, project: Path, stack: str = "dev", *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; secrets are masked unless they are asked for."""
        more = ("--show-secrets",) if show_secrets else ()
        return self._json(project, "stack", "output", "--json", "--stack", stack, *more)

    def _operate(
        self,
        operation: str,
        project: Path,
        stack: str,
        more: Sequence[str],
        *,
        config: Mapping[str, str] | None = None,
        packs: Sequence[Path] = (),
        arguments: Sequence[str] = (),
    ) -> Result:
        """Run an operation with configuration values, policy packs and further arguments of the command line."""
        self._init(project, stack)
        log = self.folder / f"{operation}.jsonl"
        log.unlink(missing_ok=True)
        settings = [f"--config={key}={value}" for key, value in (config or {}).items()]
        checks = [part for pack in packs for part in ("--policy-pack", str(pack))]
        given = ["--stack", stack, "--event-log", str(log), *more, *settings, *checks, *arguments]
        result = self.command(project, operation, *given)
        lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
        return Result(result.code, result.output, [json.loads(line) for line in lines])

    def _init(self, project: Path, stack: str) -> None:
        """Create the stack the first time; asking the engine each time would cost half a second."""
        if (project, stack) not in self._known:
            self.command(project, "stack", "init", stack)  # fails harmlessly when the stack is there
            self._known.add((project, stack))

    def _json(self, project: Path, *arguments: str) -> dict[str, Any]:
        result = self.command(project, *arguments)
        assert result.ok, result.output
        found = json.loads(result.output)
        assert isinstance(found, dict), result.output
        return found
