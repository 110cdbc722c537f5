"""`mlstep truth`: hand in outcomes from a file."""

import argparse
from pathlib import Path
from typing import Any

from mlstep import truths
from mlstep.errors import ConfigError

_WANTED = ("request_id", "outcome", "observed_at")


def main(argv: list[str]) -> int:
    """Take a file's outcomes, sort them by model, say how many belong to which."""
    parser = argparse.ArgumentParser(
        prog="mlstep truth", epilog="example: mlstep truth --root ~/.local/share/strata/demo-dev outcomes.csv"
    )
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    parser.add_argument(
        "file", type=Path, help="CSV or Parquet with request_id, outcome, observed_at and, for fairness, groups.<name>"
    )
    options = parser.parse_args(argv)
    taken = truths.take(options.root, read(options.file))
    counts = truths.sort_inbox(options.root)
    print(f"{taken} outcomes taken; " + ", ".join(f"{name}: {count}" for name, count in sorted(counts.items())))
    return 0


def read(file: Path) -> list[dict[str, Any]]:
    """Outcomes of a file as records.

    Raises:
        ConfigError: not such a file, or without the wanted columns.
    """
    rows = _rows(file)
    missing = [name for name in _WANTED if name not in rows.columns]
    if missing:
        raise ConfigError(f"{file}: columns missing: {', '.join(missing)}", f"give {', '.join(_WANTED)}")
    groups = [name for name in rows.columns if name.startswith(truths.GROUP)]
    return [
        {
            **{name: row[name] for name in _WANTED},
            "observed_at": _moment(row["observed_at"]),
            "groups": {name.removeprefix(truths.GROUP): row[name] for name in groups if row[name] is not None},
        }
        for row in rows.iter_rows(named=True)
    ]


def _rows(file: Path) -> Any:
    import polars as pl

    try:
        if file.suffix == ".parquet":
            return pl.read_parquet(file)
        return pl.read_csv(file, schema_overrides={"request_id": pl.String, "observed_at": pl.String})
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"{file}: {error}", "give a CSV or Parquet file") from None


def _moment(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
