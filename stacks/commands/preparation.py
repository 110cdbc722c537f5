"""What must be there before the engine starts: environments from lock files, and pulumi."""

from __future__ import annotations

import time

from stacks.commands.failure import Failure
from stacks.commands.ui import Screen
from stacks.record import REPOSITORY, Record


def prepare(screen: Screen, record: Record) -> None:
    """Make the environments that the record's stages need, where they are not up to date, and find pulumi.

    Raises:
        Failure: an environment cannot be made, or pulumi cannot be found.
    """
    from tools import environments, locking

    names = ["policies", "run-time", *(["features"] if record.stage >= 4 else [])]
    started = time.monotonic()
    made: list[str] = []
    try:
        for name in names:
            environments.ensure(name, REPOSITORY, made.append)
    except (environments.InstallError, locking.Busy) as error:
        lines = str(error).splitlines()
        raise Failure("an environment could not be made", lines[:-1] or lines, lines[-1:]) from None
    text = f"{len(made)} installed from lock files" if made else f"{len(names)} up to date with their lock files"
    screen.done("environments", text, time.monotonic() - started)
    _pulumi(screen)


def _pulumi(screen: Screen) -> None:
    from tools import locking, pulumi_cli, pulumi_host

    from stacks.commands.engine import pulumi_command

    started = time.monotonic()
    try:
        pulumi_cli.ensure(report=screen.say)
    except (pulumi_cli.PulumiMissingError, pulumi_host.HostError, locking.Busy) as error:
        lines = str(error).splitlines()
        raise Failure("pulumi could not be provided", lines[:-1] or lines, lines[-1:]) from None
    command, _ = pulumi_command(REPOSITORY)
    screen.done(f"pulumi {command.version}", command.command, time.monotonic() - started)
