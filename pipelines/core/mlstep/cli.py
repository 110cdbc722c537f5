"""`mlstep`: one command for steps and for everything that runs them."""

import argparse
import errno
import json
import sys
from pathlib import Path
from typing import Any

from mlstep.errors import ConfigError, StrataError
from mlstep.registry import COMMANDS, STEPS, load_command, load_step

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DISK_EXIT_CODE = 74  # EX_IOERR in sysexits.h


def main(argv: list[str] | None = None) -> int:
    """Dispatch to a command; a StrataError becomes one message and its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in {"-h", "--help"}:
        print("usage: mlstep COMMAND …\ncommands: " + ", ".join(sorted(COMMANDS)) + "\nmlstep COMMAND --help says more")
        return 0
    try:
        return int(load_command(arguments[0])(arguments[1:]))
    except StrataError as error:
        print(f"mlstep {arguments[0]}: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        if not _is_disk_full(error):
            raise
        print(
            f"mlstep {arguments[0]}: {error}\n  remedy: free space on that disk; nothing is half-written",
            file=sys.stderr,
        )
        return _DISK_EXIT_CODE
    except KeyboardInterrupt:
        print(f"mlstep {arguments[0]}: interrupted", file=sys.stderr)
        return 130


def _is_disk_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in _DISK
    # polars tells an error of the system in words: `… No space left on device (os error 28)`.
    return any(f"(os error {number})" in str(error) for number in _DISK)


def step_main(argv: list[str]) -> int:
    """`mlstep step NAME --config FILE --in n=URI --out n=URI --result URI --run-id ID`."""
    parser = argparse.ArgumentParser(
        prog="mlstep step",
        epilog="example: mlstep step pii --in data=runs/1/ingest/data --in contract=a.odcs.yaml --out report=out/pii",
        # A fixed width, since asking the terminal for its own imports what costs every step some milliseconds.
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100),
    )
    parser.add_argument("name", help="the step, see `mlstep steps`")
    parser.add_argument("--config", help="JSON or YAML file; unknown keys are errors")
    parser.add_argument("--in", dest="inputs", action="append", default=[], metavar="NAME=URI")
    parser.add_argument("--out", dest="outputs", action="append", default=[], metavar="NAME=URI")
    parser.add_argument("--result", default="result.json", metavar="URI")
    parser.add_argument("--run-id", default="manual")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of the configuration and stop")
    options = parser.parse_args(argv)
    from mlstep.step import config_schema, local_path, run_step

    step = load_step(options.name)
    if options.schema:
        print(json.dumps(config_schema(step.config_type), indent=2, sort_keys=True))
        return 0
    inputs = {name: local_path(uri) for name, uri in _pairs(options.inputs, "--in").items()}
    outputs = {name: local_path(uri) for name, uri in _pairs(options.outputs, "--out").items()}
    run_step(step, read_config(options.config), inputs, outputs, local_path(options.result), options.run_id)
    return 0


def steps_main(argv: list[str]) -> int:
    """`mlstep steps`: the steps that exist, one a line."""
    argparse.ArgumentParser(prog="mlstep steps").parse_args(argv)
    print("\n".join(sorted(STEPS)))
    return 0


def read_config(path: str | None) -> dict[str, Any]:
    """Read a step's configuration from JSON or YAML.

    Raises:
        ConfigError: unreadable, not a map, or not valid JSON or YAML.
    """
    if path is None:
        return {}
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"--config {path}: no such file", "give a JSON or YAML file")
    text = file.read_text(encoding="utf-8")
    try:
        content = json.loads(text) if file.suffix == ".json" else _yaml(text)
    except ValueError as error:
        raise ConfigError(f"--config {path}: {error}", "write a JSON or YAML map") from None
    if not isinstance(content, dict):
        raise ConfigError(f"--config {path}: a {type(content).__name__}", "write a map of configuration keys")
    return content


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _pairs(values: list[str], flag: str) -> dict[str, str]:
    wrong = [value for value in values if "=" not in value]
    if wrong:
        raise ConfigError(f"{flag} {', '.join(wrong)}: no '='", f"write {flag} name=uri")
    return dict(value.split("=", 1) for value in values)


if __name__ == "__main__":
    sys.exit(main())
