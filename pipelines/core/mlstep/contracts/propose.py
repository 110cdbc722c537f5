"""`mlstep new-contract`: propose a data contract for a file; a person checks it before anything relies on it."""

import argparse
import io
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlstep.canonical import write_atomic
from mlstep.contracts.guess import Guess, guess_columns
from mlstep.contracts.parse import parse_contract, slug
from mlstep.errors import ConfigError
from mlstep.yaml_file import parse_map

if TYPE_CHECKING:
    import polars as pl

_NAMESPACE = uuid.UUID("3f9f2a0e-1b7c-5d7b-9f53-6a3a6a6c7a10")


def main(argv: list[str]) -> int:
    """`mlstep new-contract FILE --target COLUMN [--output FILE] [--model NAME] [--positive VALUE]`."""
    parser = argparse.ArgumentParser(
        prog="mlstep new-contract",
        description="Propose a data contract (ODCS v3.1.0) for a CSV or Parquet file.",
        epilog="example: mlstep new-contract rows.csv --target defaulted",
    )
    parser.add_argument("file", type=Path, help="a .csv, .csv.gz, .tsv or .parquet file")
    parser.add_argument("--target", metavar="COLUMN", help="what the model shall predict; it has two values")
    parser.add_argument("--positive", metavar="VALUE", help="the target's value that counts as 1")
    parser.add_argument("--model", metavar="NAME", help="name of the model; default: the file's name")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: the file's name with .odcs.yaml")
    parser.add_argument("--encoding", default="utf-8", help="of a CSV file (default utf-8)")
    options = parser.parse_args(argv)
    output = options.output or options.file.with_name(f"{options.file.name.split('.')[0]}.odcs.yaml")
    if output.exists():
        raise ConfigError(f"{output} exists and is kept as it is", "give another --output, or remove it")
    frame = read_unknown(options.file, options.encoding)
    if options.target is None:
        raise ConfigError("mlstep new-contract: no --target given", f"name one of: {', '.join(frame.columns)}")
    text = propose(frame, options.file, options.target, options.positive, options.model)
    contract = parse_contract(parse_map(text, str(output)), text.encode(), str(output))
    write_atomic(output, text)
    by_role = {
        role: ", ".join(column.name for column in contract.columns if column.role == role)
        for role in ("feature", "entity", "time", "target", "ignored")
    }
    print(
        f"{output}: {len(contract.columns)} columns of {frame.height} rows\n"
        + "\n".join(f"  {role:<8} {names or '-'}" for role, names in by_role.items())
    )
    if contract.time is None and contract.entity is None:
        print("  no time or entity was found: name one, or run with --parameter split_by=random")
    print("  check every line, then: mlstep run … --parameter source=… --parameter contract=…")
    return 0


def read_unknown(path: Path, encoding: str) -> "pl.DataFrame":
    """Read a file without a contract, guessing types from all rows.

    Raises:
        ConfigError: no such file, another kind of file, no rows, or not readable.
    """
    import polars as pl

    from mlstep.data.read import sniff

    if not path.is_file():
        raise ConfigError(f"{path}: no such file", "give a CSV or Parquet file")
    try:
        if path.name.endswith(".parquet"):
            frame = pl.read_parquet(path, glob=False)
        else:
            text, separator = sniff(path, encoding)
            frame = pl.read_csv(
                io.BytesIO(text.encode()),
                separator=separator,
                decimal_comma=separator == ";",
                infer_schema_length=None,
                try_parse_dates=True,
                null_values=["", "NA", "NaN", "NULL"],
            )
    except pl.exceptions.PolarsError as error:
        first = str(error).strip().split("\n", 1)[0]
        raise ConfigError(
            f"{path}: not readable: {first}", "save it as CSV with one header line, or as Parquet"
        ) from None
    if not frame.height:
        raise ConfigError(f"{path} has no rows", "a contract is proposed from rows")
    return frame


def propose(frame: "pl.DataFrame", source: Path, target: str, positive: str | None, model: str | None) -> str:
    """The proposed contract as YAML text; the same rows give the same text.

    Raises:
        ConfigError: see `guess_columns`.
    """
    from mlstep.steps.pii import scan

    guesses = guess_columns(frame, target, positive)
    for hit in scan(frame.lazy()):
        guess = next(guess for guess in guesses if guess.name == hit.column)
        if not hit.by_chance:
            found = f"{hit.kind} in {hit.rows} rows" if hit.by == "content" else f"is called like a {hit.kind}"
            guess.notes.append(
                f"personal data: {found}; remove it upstream, or name a legal basis (strata.personal_data_allowed)"
            )
            guess.role = guess.role or "ignored"
    name = slug(source.name.split(".")[0]) or "rows"
    identifier = uuid.uuid5(_NAMESPACE, json.dumps([name, frame.columns]))
    lines = [
        f"# Proposed from {frame.height} rows of {source.name}: check every line before you rely on it.",
        "# Column roles (strata.role): entity, time, target, group (fairness only), ignored; no role is a feature.",
        "apiVersion: v3.1.0",
        "kind: DataContract",
        f"id: {identifier}",
        f"name: {name}",
        "version: 0.1.0",
        "status: draft",
        "customProperties:",
        f"  - {{property: strata.model, value: {slug(model or name)}}}",
        "# slaProperties:",
        "#   - {property: freshness, value: 24, unit: h}",
        "schema:",
        f"  - name: {name}",
        "    logicalType: object",
        "    properties:",
    ]
    for guess in guesses:
        lines += _column(guess)
    return "\n".join(lines) + "\n"


def _column(guess: Guess) -> list[str]:
    lines = [f"      # {note}" for note in guess.notes]
    lines += [f"      - name: {_scalar(guess.name)}", f"        logicalType: {guess.type}"]
    if guess.required:
        lines.append("        required: true")
    if guess.role == "entity":
        lines.append("        unique: true")
    if guess.minimum is not None:
        lines.append(
            f"        logicalTypeOptions: {{minimum: {_scalar(guess.minimum)}, maximum: {_scalar(guess.maximum)}}}"
        )
    if guess.role is not None:
        lines += ["        customProperties:", f"          - {{property: strata.role, value: {guess.role}}}"]
    if guess.positive is not None:
        lines.append(f"          - {{property: strata.positive, value: {_scalar(guess.positive)}}}")
    if guess.values is not None:
        values = ", ".join(_scalar(value) for value in guess.values)
        lines += [
            "        quality:",
            f"          - {{metric: invalidValues, arguments: {{validValues: [{values}]}}, mustBe: 0}}",
        ]
    return lines


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)  # JSON scalars are YAML scalars.
