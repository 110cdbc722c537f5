"""The supervisor of one platform folder as a resource."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from components._kit import disk, preflight, provider, rpc, supervisord

DECLARED = ("root", "python", "ports", "modules")


class SupervisorProvider(provider.LocalProvider):
    """Keeps exactly one supervisor running; what it supervises are `Process` resources."""

    declared = DECLARED
    replacing = ("root",)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Before the first start, looks for everything in the way, so that a preview already tells all of it."""
        if _olds or provider.is_unknown(news):
            return dynamic.CheckResult(news, [])
        told = _told(news, made=False)
        return dynamic.CheckResult(news, [dynamic.CheckFailure("", told)] if told else [])

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Starts it after a last look for obstacles: the preview of a first `up` had no environment to look at."""
        if told := _told(props, made=True):
            raise RuntimeError(told)
        supervisord.ensure(props["root"], props["python"])
        return dynamic.CreateResult(props["root"], _outs(props, running=True))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Starts it if it is gone; starts it anew if another Python or configuration is wanted."""
        if _olds.get("python") != _news["python"]:
            supervisord.stop(_news["root"])
        supervisord.ensure(_news["root"], _news["python"])
        return dynamic.UpdateResult(_outs(_news, running=True))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Tells whether it runs. Whether it should is not a matter of state: it always should."""
        if not Path(props["root"]).is_dir():
            return dynamic.ReadResult("", {})
        inputs = provider.outs(props, DECLARED)
        return dynamic.ReadResult(id_, _outs(props, running=rpc.alive(supervisord.socket_path(props["root"]))), inputs)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Ends it and every process of the root; data and logs stay."""
        supervisord.remove(_props["root"])

    def as_declared(self, _olds: dict[str, Any], news: dict[str, Any]) -> bool:
        """Whether it answers and has the right configuration."""
        root = news["root"]
        configured = disk.holds(supervisord.config_path(root), supervisord.config(root), 0o600)
        return bool(_olds.get("running")) and configured and rpc.alive(supervisord.socket_path(root))


def _told(props: dict[str, Any], *, made: bool) -> str:
    """Everything that is in the way, as one message; `made` says that the environment must be there by now."""
    ports = [int(port) for port in props["ports"]]
    python = props["python"] if made or Path(props["python"]).exists() else None
    found = preflight.problems(props["root"], python, ports, props["modules"])
    lines = "".join(f"\n  - {problem}" for problem in found)
    return f"the platform in {props['root']} cannot start:{lines}" if found else ""


def _outs(props: dict[str, Any], *, running: bool) -> dict[str, Any]:
    return provider.outs(props, DECLARED, socket=supervisord.socket_path(props["root"]), running=running)


class Supervisor(dynamic.Resource, module="local", name="Supervisor"):
    """Keeps processes alive: restarts them after a crash, rotates their logs."""

    root: pulumi.Output[str]
    """Platform folder."""
    python: pulumi.Output[str]
    """Interpreter of the run-time environment."""

    def __init__(
        self,
        name: str,
        *,
        root: pulumi.Input[str],
        python: pulumi.Input[str],
        ports: Sequence[int],
        modules: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the supervisor.

        Args:
            name: Pulumi name.
            root: Platform folder; forces replacement.
            python: Interpreter that has supervisor 4.3.
            ports: Every port that the platform may use; checked once, before the first start.
            modules: Packages that must be importable by `python`.
            opts: Resource options.
        """
        props = {"root": root, "python": python, "ports": list(ports), "modules": list(modules), "running": None}
        super().__init__(SupervisorProvider(), name, props, opts)
