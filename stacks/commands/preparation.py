"""What must be there before the engine starts: environments from lock files, and pulumi."""

from __future__ import annotations

import time

from stacks.commands.failure import Failure
from stacks.commands.ui import Screen
from stacks.record import Record


def prepare(screen: Screen, record: Record) -> None:
    """Make the policy pack's environment, where it is not up to date, and find pulumi, or provide it.

    The run-time environments are resources of the stack and are made by the engine.

    Raises:
        Failure: the environment cannot be made, or pulumi cannot be provided.
    """
    from tools import environments, locking

    made: list[str] = []
    try:
        # An environment that somebody linked here is theirs to keep up to date.
        if not (record.repository / "policies" / ".venv").is_symlink():
            environments.ensure("policies", record.repository, made.append)
    except (environments.InstallError, locking.Busy) as error:
        lines = str(error).splitlines()
        raise Failure("an environment could not be made", lines[:-1] or lines, lines[-1:]) from None
    for line in made:
        screen.say(line)
    _pulumi(screen, record)


def _pulumi(screen: Screen, record: Record) -> None:
    from stacks.commands.engine import pulumi_command
    from tools import locking, pulumi_cli, pulumi_host

    started = time.monotonic()
    try:
        pulumi_cli.ensure(report=screen.say)
    except (pulumi_cli.PulumiMissingError, pulumi_host.HostError, locking.Busy) as error:
        lines = str(error).splitlines()
        raise Failure("pulumi could not be provided", lines[:-1] or lines, lines[-1:]) from None
    command, _ = pulumi_command(record.repository)
    screen.done(f"pulumi {command.version}", command.command, time.monotonic() - started)
