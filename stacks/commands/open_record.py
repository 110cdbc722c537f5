"""Load the record for a command: a bad record becomes the one block, with every problem in it."""

from __future__ import annotations

from stacks.commands.failure import Failure
from stacks.record import Record, RecordError, load


def open_record(stack_name: str) -> Record:
    """Return the record of a stack.

    Raises:
        Failure: the stack's name or the record is wrong.
    """
    try:
        return load(stack_name)
    except RecordError as error:
        workspace = stack_name.rpartition("-")[0] or stack_name
        remedy = [f"correct the file, then: strata check {workspace}"] if error.problems[0].line else []
        raise Failure(f"{error.label} cannot be used", str(error).splitlines(), remedy, exit_code=2) from None
