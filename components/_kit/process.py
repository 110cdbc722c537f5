"""One supervised process as a resource."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from components._kit import converge, provider
from components._kit.program import Program

DECLARED = (
    "root",
    "name",
    "python",
    "command",
    "port",
    "health",
    "health_timeout_seconds",
    "env",
    "secret_env",
    "configuration",
)


class ProcessProvider(provider.LocalProvider):
    """Creates, looks at, changes and ends one process under the supervisor."""

    declared = DECLARED
    replacing = ("root", "name")

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Starts it and waits until it answers.

        A failed create is not in the state, so this accepts whatever an earlier attempt left behind.
        """
        program = Program.of(props)
        converge.ensure(program)
        return dynamic.CreateResult(f"{program.root}/{program.name}", _outs(props, running=True))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """The same as create: a restart only if something differs, else a wait."""
        converge.ensure(Program.of(_news))
        return dynamic.UpdateResult(_outs(_news, running=True))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Tells whether it runs; the inputs stay as they are, because liveness is not desired state."""
        if not Path(props["root"]).is_dir():
            return dynamic.ReadResult("", {})
        inputs = provider.outs(props, DECLARED)
        return dynamic.ReadResult(id_, _outs(props, running=converge.well(Program.of(props))), inputs)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Ends it and removes what describes it; its log and data stay."""
        converge.remove(Program.of(_props))

    def as_declared(self, _olds: dict[str, Any], news: dict[str, Any]) -> bool:
        """Whether it runs, answers on its own port, and was started with exactly this."""
        return bool(_olds.get("running")) and converge.well(Program.of(news))


def _outs(props: dict[str, Any], *, running: bool) -> dict[str, Any]:
    return provider.outs(props, DECLARED, running=running)


class Process(dynamic.Resource, module="local", name="Process"):
    """A program that runs until it is destroyed, restarted after a crash."""

    port: pulumi.Output[float]
    """TCP port on 127.0.0.1."""
    running: pulumi.Output[bool]
    """Whether it answered when it was last looked at."""

    def __init__(
        self,
        resource_name: str,
        *,
        root: pulumi.Input[str],
        python: pulumi.Input[str],
        name: str,
        command: Sequence[pulumi.Input[str]],
        port: pulumi.Input[int],
        health: str,
        health_timeout_seconds: float = 60.0,
        env: pulumi.Input[Mapping[str, str]] | None = None,
        secret_env: pulumi.Input[Mapping[str, str]] | None = None,
        configuration: Mapping[str, pulumi.Input[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the process.

        Args:
            resource_name: Pulumi name.
            root: Platform folder, best the supervisor's output; forces replacement.
            python: Interpreter for the launcher, best the supervisor's output.
            name: Name of the process; forces replacement.
            command: Program and arguments. Visible to every user of the machine: never a secret.
            port: TCP port that it binds on 127.0.0.1.
            health: Path that answers 2xx when it is ready.
            health_timeout_seconds: How long it may take to answer, in seconds.
            env: Its environment, together with `secret_env`; nothing is inherited.
            secret_env: The part of its environment that nobody may see. Secret.
            configuration: Digests of files it reads at its start; a change restarts it.
            opts: Resource options.
        """
        props = {
            "root": root,
            "name": name,
            "python": python,
            "command": list(command),
            "port": port,
            "health": health,
            "health_timeout_seconds": health_timeout_seconds,
            "env": {} if env is None else env,
            "secret_env": pulumi.Output.secret({} if secret_env is None else secret_env),
            "configuration": dict(configuration or {}),
            "running": None,
        }
        # The plugin sees plain text and says so; without this the echoed environment would be plain in the state.
        secret = pulumi.ResourceOptions(additional_secret_outputs=["secret_env"])
        super().__init__(ProcessProvider(), resource_name, props, pulumi.ResourceOptions.merge(opts, secret))
