"""Outcomes of predictions: taken in at once, sorted by model in the next round of monitoring, joined on `request_id`.

`<root>/truth/inbox/*.jsonl` holds what was handed in, `<root>/truth/<model>/*.parquet` what belongs to an answer,
`<root>/truth/unknown/*.jsonl` what belongs to none. The last one handed in for a request counts: outcomes get
corrected.
"""

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlstep import predictions, store
from mlstep.canonical import dumps, iso, now, read_json, write_atomic
from mlstep.errors import ConfigError
from mlstep.ids import id_time, new_id

if TYPE_CHECKING:
    import polars as pl

GROUP = "groups."
_KEYS = {"request_id", "outcome", "observed_at", "groups"}
_MOST_PROBLEMS = 20


def folder(root: Path) -> Path:
    """Where outcomes are."""
    return root / "truth"


def take(root: Path, records: Sequence[Any]) -> int:
    """Check outcomes and keep them in the inbox, flushed to the disk; returns how many.

    Args:
        records: maps with `request_id`, `outcome` (text, number or truth value), `observed_at` (ISO 8601) and, where
            known, `groups` {name: value}, used for fairness and never for scoring.

    Raises:
        ConfigError: any record is wrong; nothing is kept; the message holds the first 20 problems.
    """
    problems = [f"record {number}: {text}" for number, record in enumerate(records) for text in _problems(record)]
    if problems:
        more = f" … and {len(problems) - _MOST_PROBLEMS} more" if len(problems) > _MOST_PROBLEMS else ""
        raise ConfigError(
            "truth refused: " + "; ".join(problems[:_MOST_PROBLEMS]) + more,
            "send {request_id, outcome, observed_at} for each answer; nothing was kept",
        )
    if not records:
        return 0
    received = now()
    lines = [dumps({**record, "received": iso(received)}) for record in records]
    write_atomic(folder(root) / "inbox" / f"{new_id(received)}.jsonl", "\n".join(lines) + "\n", 0o640)
    return len(records)


def sort_inbox(root: Path) -> dict[str, int]:
    """Sort what is in the inbox by model.

    Returns:
        How many outcomes belong to each model, and under `unknown` how many belong to no logged answer.
    """
    inbox = folder(root) / "inbox"
    counts: dict[str, int] = {}
    if not inbox.is_dir():
        return counts
    with _locked(folder(root)):
        for file in sorted(inbox.glob("*.jsonl")):
            for name, count in _sort_file(root, file).items():
                counts[name] = counts.get(name, 0) + count
            file.unlink()  # Last: a crash before it sorts the same file again under the same names.
    return counts


def read(root: Path, model: str) -> "pl.DataFrame":
    """Outcomes of one model, one row per `request_id`, by the time they were handed in.

    Returns:
        `request_id, outcome (text), label (1, 0 or null), observed_at, received, first_received`, and
        `groups.<name>` per group.
    """
    import polars as pl

    files = sorted((folder(root) / model).glob("*.parquet"))
    if not files:
        return _frame([]).with_columns(pl.col("received").alias("first_received"))
    rows = pl.concat([pl.scan_parquet(file) for file in files], how="diagonal_relaxed")
    first = rows.group_by("request_id").agg(pl.col("received").min().alias("first_received"))
    last = rows.sort("received").unique("request_id", keep="last")
    return last.join(first, on="request_id").sort("first_received", "request_id").collect()


def truth_joined(root: Path, model: str, received_after: datetime | None = None) -> "pl.DataFrame":
    """Champion's answers that have an outcome: the record's columns and those of `read`.

    Args:
        received_after: only outcomes first handed in at this time or later; answers before the
            oldest of them are not opened.
    """
    import polars as pl

    known = read(root, model)
    if received_after is not None:
        known = known.filter(pl.col("first_received") >= received_after)
    moments = [moment for moment in map(id_time, known.get_column("request_id").to_list()) if moment is not None]
    # Truth is sorted by request before it gets here, so each identifier is one of ours and holds its time.
    answers = (
        predictions.scan(root, model, since=min(moments) - timedelta(seconds=1)) if moments else predictions.frame([])
    )
    return answers.join(known, on="request_id", how="inner").sort("first_received", "request_id")


def _sort_file(root: Path, file: Path) -> dict[str, int]:
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    owners = _owners(root, {record["request_id"] for record in records})
    by_model: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        model, digest = owners.get(record["request_id"], ("unknown", None))
        labelled = {**record, "label": _label(record["outcome"], _positive(root, digest))}
        by_model.setdefault(model, []).append(record if model == "unknown" else labelled)
    for model, found in sorted(by_model.items()):
        if model == "unknown":
            write_atomic(folder(root) / model / file.name, "".join(dumps(record) + "\n" for record in found), 0o640)
        else:
            _write_parquet(folder(root) / model / f"{file.stem}.parquet", _frame(found))
    return {model: len(found) for model, found in by_model.items()}


def _owners(root: Path, wanted: set[str]) -> dict[str, tuple[str, str | None]]:
    moments = [moment for moment in map(id_time, wanted) if moment is not None]
    if not moments:
        return {}
    since = min(moments) - timedelta(seconds=1)
    owners: dict[str, tuple[str, str | None]] = {}
    for model in predictions.models(root):
        answers = predictions.scan(root, model, since=since).select("request_id", "model_digest")
        owners.update({name: (model, digest) for name, digest in answers.iter_rows() if name in wanted})
    return owners


@cache
def _positive(root: Path, digest: str | None) -> Any:
    # Stored models never change, so what one said about its positive value may be kept.
    card = store.folder(root, digest) / "model.json" if digest else None
    return read_json(card).get("positive") if card and card.is_file() else None


def _frame(records: list[dict[str, Any]]) -> "pl.DataFrame":
    import polars as pl

    columns: dict[str, Any] = {
        "request_id": pl.Series([record["request_id"] for record in records], dtype=pl.String),
        "outcome": pl.Series([_text(record["outcome"]) for record in records], dtype=pl.String),
        "label": pl.Series([record["label"] for record in records], dtype=pl.Float64),
        "observed_at": pl.Series(
            [datetime.fromisoformat(record["observed_at"]) for record in records], dtype=pl.Datetime("ms", "UTC")
        ),
        "received": pl.Series(
            [datetime.fromisoformat(record["received"]) for record in records], dtype=pl.Datetime("ms", "UTC")
        ),
    }
    for name in sorted({name for record in records for name in record.get("groups") or {}}):
        columns[GROUP + name] = pl.Series(
            [_text((record.get("groups") or {}).get(name)) for record in records], dtype=pl.String
        )
    return pl.DataFrame(columns)


def _label(outcome: Any, positive: Any) -> float | None:
    if positive is not None:
        return 1.0 if _text(outcome) == _text(positive) else 0.0
    return {"0": 0.0, "1": 1.0}.get(_text(outcome) or "")


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return {"true": "1", "false": "0"}.get(text.lower(), text)


def _problems(record: Any) -> list[str]:
    if not isinstance(record, dict):
        return [f"a {type(record).__name__}, expected a map"]
    problems = [f"{key}: not known" for key in sorted(set(record) - _KEYS)]
    if not isinstance(record.get("request_id"), str) or not record["request_id"]:
        problems.append("request_id: missing")
    if not isinstance(record.get("outcome"), bool | int | float | str):
        problems.append(f"outcome: {record.get('outcome')!r}, expected text, number or truth value")
    if not isinstance(record.get("groups", {}), dict):
        problems.append("groups: expected a map")
    try:
        if datetime.fromisoformat(record["observed_at"]).tzinfo is None:
            problems.append(f"observed_at: {record['observed_at']} has no time zone")
    except (KeyError, TypeError, ValueError):
        problems.append(f"observed_at: {record.get('observed_at')!r}, expected ISO 8601 with time zone")
    return problems


def _write_parquet(path: Path, rows: "pl.DataFrame") -> None:
    import io

    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    write_atomic(path, buffer.getvalue(), 0o640)


@contextmanager
def _locked(where: Path) -> Iterator[None]:
    with (where / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
