"""Which data sets become feature views, and from which rows."""

from pathlib import Path

import pytest

from mlstep.errors import ConfigError, IntegrityError
from mlstep.step import Decision
from mlstep_features.datasets import data_sets, latest_snapshot, refusals
from tests.unit.features.ingested import CONTRACT, ingest, make_platform, rows


def test_roles_of_the_contract_decide(tmp_path: Path) -> None:
    """Keys and time come from roles; group and target columns are no features."""
    (found,) = data_sets(make_platform(tmp_path))
    assert (found.view, found.keys, found.time) == ("applications", ("application_id",), "applied_at")
    assert found.features == ("income", "age", "purpose", "home_owner")
    assert found.obstacle is None


@pytest.mark.parametrize(
    ("role", "words"), [("entity", "no column with the role entity"), ("time", "no column with the role time")]
)
def test_a_contract_without_key_or_time_is_an_obstacle(tmp_path: Path, role: str, words: str) -> None:
    """A data set that cannot be a view says what is missing."""
    contract = CONTRACT.replace(f"value: {role}}}", "value: ignored}")
    (found,) = data_sets(make_platform(tmp_path, contract))
    assert words in str(found.obstacle)


@pytest.mark.parametrize("contract", ["name: x", "{", "schema: []", "schema: [{properties: 3}]"])
def test_what_is_no_contract_is_refused(tmp_path: Path, contract: str) -> None:
    """A file that is no contract gives one message with its path."""
    with pytest.raises(ConfigError, match=r"applications\.odcs\.yaml"):
        data_sets(make_platform(tmp_path, contract))


def test_the_newest_accepted_rows_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest run wins, unless validate or pii refused its rows or never saw them."""
    platform = make_platform(tmp_path)
    (data_set,) = data_sets(platform)
    assert latest_snapshot(tmp_path, data_set) is None
    judged: list[tuple[str, Decision]] = [("r1", "pass"), ("r2", "warn"), ("r3", "fail"), ("r4", "pass")]
    for day, (run, decision) in enumerate(judged, start=1):
        monkeypatch.setenv("STRATA_NOW", f"2026-02-0{day}T00:00:00+00:00")
        ingest(tmp_path, run, rows(9, 9), pii=decision)
    (tmp_path / "runs/credit/r4/validate/result.json").unlink()
    snapshot = latest_snapshot(tmp_path, data_set)
    assert snapshot is not None
    assert (snapshot.run, snapshot.pipeline, snapshot.rows) == ("r2", "credit", 9)
    assert refusals(tmp_path / "runs/credit/r3") == ["pii: fail"]
    assert refusals(tmp_path / "runs/credit/r4") == ["validate: did not run"]


def test_rows_under_another_contract_do_not_count(tmp_path: Path) -> None:
    """A changed contract waits for rows ingested under it."""
    platform = make_platform(tmp_path)
    ingest(tmp_path, "r1", rows(9, 9))
    (tmp_path / "applications.odcs.yaml").write_text(CONTRACT.replace("1.0.0", "2.0.0"), encoding="utf-8")
    (data_set,) = data_sets(platform)
    assert latest_snapshot(tmp_path, data_set) is None


def test_changed_rows_are_refused(tmp_path: Path) -> None:
    """Rows whose bytes do not match their manifest are named, not used."""
    platform = make_platform(tmp_path)
    data = ingest(tmp_path, "r1", rows(9, 9))
    rows(8, 8).write_parquet(data / "data.parquet")
    with pytest.raises(IntegrityError, match=r"data\.parquet: bytes differ"):
        latest_snapshot(tmp_path, data_sets(platform)[0])
