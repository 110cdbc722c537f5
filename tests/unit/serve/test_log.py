"""The prediction log: nothing answered is lost, nothing is counted twice, nothing is kept too long."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlstep import predictions
from mlstep.canonical import iso
from mlstep.errors import ConfigError
from mlstep.ids import id_time, new_id
from mlstep_serve.compact import compact, drop_expired, leftovers, merge_days, write_parquet
from mlstep_serve.service import NotKept
from mlstep_serve.wal import Wal
from tests.unit.serve.kit import MODEL

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def record(number: int, moment: datetime = NOON, **more: Any) -> dict[str, Any]:
    """A record as the service writes it."""
    return {
        "request_id": new_id(moment, number.to_bytes(10)),
        "time": iso(moment),
        "model": MODEL,
        "version": 1,
        "model_digest": "d" * 64,
        "role": "champion",
        "score": 0.25,
        "decision": "approve",
        "fallback": False,
        "fallback_reason": None,
        "latency_ms": 1.5,
        "schema": "c" * 64,
        "source": "api",
        "features": {"income": 40_000 + number, "home": "own", "employed": True},
        "invalid": {},
        "unknown_keys": 0,
        **more,
    }


def test_a_torn_last_line_is_no_record(tmp_path: Path) -> None:
    """A line cut off by a crash was never answered; what is before it is read."""
    wal = Wal(tmp_path, "champion", NOON)
    wal.append([record(1), record(2)])
    with wal.path.open("ab") as stream:
        stream.write(b'{"request_id": "01J')
    assert predictions.scan(tmp_path, MODEL).height == 2
    assert compact(tmp_path, wal.path) == 2
    assert predictions.scan(tmp_path, MODEL).height == 2


def test_compaction_keeps_every_field(tmp_path: Path) -> None:
    """A record read from Parquet is the record that was written."""
    wal = Wal(tmp_path, "champion", NOON)
    written = [record(1), record(2, invalid={"age": "old"}, fallback=True, fallback_reason="age: text")]
    wal.append(written)
    before = [predictions.find(tmp_path, one["request_id"]) for one in written]
    closed = wal.rotate(NOON)
    assert closed is not None
    compact(tmp_path, closed)
    assert not closed.exists()
    after = [predictions.find(tmp_path, one["request_id"]) for one in written]
    assert before == written
    assert after == written


def test_a_record_in_both_places_counts_once(tmp_path: Path) -> None:
    """A crash between writing Parquet and removing the file leaves each record twice; readers see it once."""
    wal = Wal(tmp_path, "champion", NOON)
    wal.append([record(number) for number in range(5)])
    data = wal.path.read_bytes()
    compact(tmp_path, wal.path)
    wal.path.write_bytes(data)
    assert predictions.scan(tmp_path, MODEL).height == 5
    compact(tmp_path, wal.path)
    assert predictions.scan(tmp_path, MODEL).height == 5


def test_a_line_that_is_no_record_is_kept_in_quarantine(tmp_path: Path) -> None:
    """A damaged line is not lost and does not stop the others."""
    wal = Wal(tmp_path, "champion", NOON)
    wal.append([record(1)])
    with wal.path.open("ab") as stream:
        stream.write(b"\x00\x00 damaged\n")
    wal.append([record(2)])
    assert compact(tmp_path, wal.path) == 2
    kept = list((tmp_path / "predictions" / "quarantine").iterdir())
    assert [file.read_bytes() for file in kept] == [b"\x00\x00 damaged\n"]


def test_nothing_of_a_failed_write_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disk full in the middle of a record: the caller gets an error, the file ends with the record before."""
    wal = Wal(tmp_path, "champion", NOON)
    wal.append([record(1)])
    real, calls = os.write, []

    def full(handle: int, data: memoryview) -> int:
        calls.append(1)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real(handle, data[:100])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        wal.append([record(2)])
    monkeypatch.undo()
    wal.append([record(3)])
    assert [one["features"]["income"] for one in predictions.read_wal_file(wal.path)] == [40_001, 40_003]


def test_an_answer_without_record_does_not_leave(running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the log cannot be written the answer is withheld."""

    def full(_records: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(running.service, "_keep", full)
    with pytest.raises(NotKept, match="No space left"):
        running.service.answer(MODEL, b"{}")


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """Two services of one role on one platform would mix their logs."""
    wal = Wal(tmp_path, "champion", NOON)
    with pytest.raises(ConfigError, match="another process writes this log"):
        Wal(tmp_path, "champion", NOON)
    wal.close()
    Wal(tmp_path, "champion", NOON).close()


def test_files_of_a_dead_process_are_compacted(tmp_path: Path) -> None:
    """What an earlier life left behind becomes Parquet, the open file does not."""
    first = Wal(tmp_path, "champion", NOON)
    first.append([record(1)])
    os.close(first._owner)  # As the operating system does when the process dies.
    second = Wal(tmp_path, "champion", NOON + timedelta(seconds=1))
    assert leftovers(tmp_path, "champion", second.path) == [first.path]


def test_past_days_are_merged_and_old_ones_dropped(tmp_path: Path) -> None:
    """Many small files of a past day become one; a day beyond retention goes, the days within stay."""
    for number in range(6):
        day = predictions.folder(tmp_path) / MODEL / "champion" / "date=2026-03-02"
        write_parquet(day / f"champion-{number}.parquet", predictions.frame([record(number)]))
    old = predictions.folder(tmp_path) / MODEL / "champion" / "date=2025-08-30"
    write_parquet(old / "champion-0.parquet", predictions.frame([record(9, NOON - timedelta(days=184))]))
    today = date(2026, 3, 3)
    assert merge_days(tmp_path, today) == 1
    assert len(list(day.iterdir())) == 1
    assert predictions.scan(tmp_path, MODEL).height == 7
    assert drop_expired(tmp_path, today, 183) == [old]
    assert predictions.scan(tmp_path, MODEL).height == 6


def test_scan_since_opens_no_earlier_day(tmp_path: Path) -> None:
    """Records before `since` are left out, across files and write-ahead file."""
    early, late = record(1, NOON - timedelta(days=2)), record(2)
    wal = Wal(tmp_path, "champion", NOON)
    wal.append([early])
    closed = wal.rotate(NOON)
    assert closed is not None
    compact(tmp_path, closed)
    wal.append([late])
    found = predictions.scan(tmp_path, MODEL, since=NOON - timedelta(hours=1))
    assert found["request_id"].to_list() == [late["request_id"]]


def test_an_identifier_holds_its_time() -> None:
    """The day of a record is found from its identifier; what is no identifier has no time."""
    assert id_time(new_id(NOON)) == NOON
    assert [id_time(text) for text in ("", "abc", "I" * 26, "Z" * 26)] == [None] * 4
