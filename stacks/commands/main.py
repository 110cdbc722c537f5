"""`strata`: registers the commands, and turns every failure into one block without a traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import typer

from stacks.commands import check, models, operate, platform, policy
from stacks.commands.failure import Failure

UNEXPECTED = 70
"""Exit code of a defect in Strata itself (EX_SOFTWARE in sysexits.h)."""
INTERRUPTED = 130
STOPPED = Failure("stopped", remedy="the same command goes on from here", exit_code=INTERRUPTED)

app = typer.Typer(
    name="strata",
    help="One reviewed record gives a team a governed MLOps platform.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong input, 3 a link does not verify, 4 refused by a rule, 70 a defect in "
    "strata, 75 try again later, 130 stopped.",
    no_args_is_help=True,
    # Plain help: rich would double the time of `strata --help`.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
local = typer.Typer(help="The platform folder of target local.", no_args_is_help=True, rich_markup_mode=None)
policy_group = typer.Typer(
    help="The rules, checked against what is built.", no_args_is_help=True, rich_markup_mode=None
)
drift_group = typer.Typer(
    help="Let the world change, and watch what happens.", no_args_is_help=True, rich_markup_mode=None
)

app.command()(check.check)
app.command()(platform.preview)
app.command()(platform.up)
app.command()(platform.down)
app.command()(operate.status)
app.command()(models.run)
app.command()(models.sign)
app.command()(models.rollback)
app.command()(models.trace)
app.command("new-contract")(models.new_contract)
app.command()(operate.logs)
app.command()(operate.secret)
drift_group.command("demo")(models.drift_demo)
local.command("purge")(operate.purge)
policy_group.command("check")(policy.check)
app.add_typer(drift_group, name="drift")
app.add_typer(local, name="local")
app.add_typer(policy_group, name="policy")


def main(arguments: list[str] | None = None) -> None:
    """Run `strata` and end the process with its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    sys.exit(run(given))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; whatever goes wrong becomes one block."""
    # The Automation API warns of an event stream that ends when the engine is killed; the failure itself is reported.
    warnings.filterwarnings("ignore", message="Error in event stream", category=UserWarning)
    try:
        app(arguments, prog_name="strata")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        # typer turns Ctrl-C into this exit code and says nothing.
        return _end(STOPPED, arguments) if code == INTERRUPTED else code
    except Failure as failure:
        return _end(failure, arguments)
    except KeyboardInterrupt:
        return _end(STOPPED, arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends in one block and a log
        return _end(_defect(error), arguments)
    return 0


def _end(failure: Failure, arguments: list[str]) -> int:
    from stacks.commands.ui import Screen

    screen = Screen("--json" in arguments)
    screen.result({"error": failure.as_json()})
    if not screen.as_json:
        sys.stdout.flush()
        from rich.console import Console

        Console(stderr=True, highlight=False, soft_wrap=True).print(failure.block(), style="red", markup=False)
    return failure.exit_code


def _defect(error: Exception) -> Failure:
    handle, name = tempfile.mkstemp(prefix="strata-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write("".join(traceback.format_exception(error)))
    what = "an unexpected error inside strata"
    return Failure(what, f"{type(error).__name__}: {error}", "report it with the log", Path(name), UNEXPECTED)


if __name__ == "__main__":
    main()
