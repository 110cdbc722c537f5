"""The offline file of a feature view."""

from pathlib import Path

import polars as pl
import pytest

from mlstep.errors import ConfigError
from mlstep_features import offline
from mlstep_features.datasets import DataSet, Snapshot, data_sets, latest_snapshot
from tests.unit.features.ingested import ingest, make_platform, rows


def _snapshot(root: Path, frame: pl.DataFrame) -> tuple[DataSet, Snapshot]:
    platform = make_platform(root)
    ingest(root, "r1", frame)
    (data_set,) = data_sets(platform)
    snapshot = latest_snapshot(root, data_set)
    assert snapshot is not None
    return data_set, snapshot


def test_it_holds_keys_time_and_features_only(tmp_path: Path) -> None:
    """Target and group stay out; types are those Feast holds; the origin names run and snapshot."""
    data_set, snapshot = _snapshot(tmp_path, rows(30, 30))
    origin = offline.build(tmp_path, data_set, snapshot)
    frame = pl.read_parquet(offline.parquet(tmp_path, data_set.view))
    assert frame.columns == ["application_id", "applied_at", "income", "age", "purpose", "home_owner"]
    assert frame.schema["applied_at"] == pl.Datetime("us", "UTC")
    assert (origin["run"], origin["snapshot"], origin["rows"]) == ("r1", snapshot.digest, 30)


def test_it_is_written_once_a_snapshot(tmp_path: Path) -> None:
    """The same snapshot leaves the file alone."""
    data_set, snapshot = _snapshot(tmp_path, rows(30, 30))
    offline.build(tmp_path, data_set, snapshot)
    before = offline.parquet(tmp_path, data_set.view).stat().st_mtime_ns
    offline.build(tmp_path, data_set, snapshot)
    assert offline.parquet(tmp_path, data_set.view).stat().st_mtime_ns == before


def test_rows_without_key_are_left_out_and_counted(tmp_path: Path) -> None:
    """A row nobody can ask for is not kept, and is not hidden either."""
    frame = rows(30, 30).with_columns(
        application_id=pl.when(pl.int_range(30) < 4).then(None).otherwise(pl.col("application_id"))
    )
    origin = offline.build(tmp_path, *_snapshot(tmp_path, frame))
    assert (origin["rows"], origin["rows_without_key_or_time"]) == (26, 4)


def test_all_columns_it_cannot_hold_are_named(tmp_path: Path) -> None:
    """Missing columns and impossible types come in one message, with a remedy; nothing is written."""
    frame = rows(9, 9).drop("income").with_columns(age=pl.Series([[1]] * 9))
    with pytest.raises(ConfigError, match=r"missing columns income; columns age \(List\(Int64\)\)"):
        offline.build(tmp_path, *_snapshot(tmp_path, frame))
    assert not list((tmp_path / "features").rglob("*.parquet"))


def test_the_newest_row_of_each_entity(tmp_path: Path) -> None:
    """An entity's last row is taken, newest entities first, no more than asked for."""
    data_set, snapshot = _snapshot(tmp_path, rows(40, 20))
    offline.build(tmp_path, data_set, snapshot)
    every = offline.newest(tmp_path, data_set, None)
    assert every.height == 20
    assert every["applied_at"].is_sorted(descending=True)
    assert every["applied_at"].min() == rows(40, 20)["applied_at"].dt.replace_time_zone("UTC")[20]
    assert offline.newest(tmp_path, data_set, 3).equals(every.head(3))
