"""The made-up reports that the portal's pages are tested with have the shape of what the steps write."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.unit.portal.reports import REPORTS
from tests.unit.train import making
from tests.unit.train.conftest import Trained
from tests.unit.train.test_fairness import fairness
from tests.unit.train.test_judging import FAST, judged

Shape = set[tuple[str, str]]
IBAN = "SE4550000000058398257466"


def shape(value: Any, path: str = "") -> Shape:
    """Every path in a report with the kind of value that stands there."""
    if isinstance(value, dict):
        # Below `columns` stand names of the data, not of the report.
        names = {key: "*" if path.endswith("columns") else key for key in value}
        return {(path, "map")}.union(*(shape(one, f"{path}.{names[key]}") for key, one in value.items()))
    if isinstance(value, list):
        return {(path, "list")}.union(*(shape(one, f"{path}[]") for one in value))
    if isinstance(value, bool) or value is None:
        return {(path, type(value).__name__)}
    return {(path, "number" if isinstance(value, int | float) else "text")}


def _judged(trained: Trained, folder: Path, step: str, **config: Any) -> list[Any]:
    judged(trained, folder, step, **config)
    return [making.report(folder, step)]


def _fairness(_: Trained, folder: Path) -> list[Any]:
    """One with a group too small to decide, one in which nothing can be decided."""
    cases = [{"north": 400, "south": 400, "east": 20}, {"north": 400, "south": 20}]
    for number, sizes in enumerate(cases):
        fairness(folder / str(number), dict.fromkeys(sizes, 0.8), sizes)
    return [making.report(folder / str(number), "fairness") for number in range(len(cases))]


def _on_rows(step: str) -> Callable[[Trained, Path], list[Any]]:
    def run(_: Trained, folder: Path) -> list[Any]:
        """Rows with account numbers in a text."""
        rows = making.pumps(300).with_columns(maker=pl.lit(f"paid by {IBAN}"))
        data = making.output(folder, "data", rows, "ingest")
        making.run(folder, step, {"data": data, "contract": making.contract(folder)})
        return [making.report(folder, step)]

    return run


REAL: dict[str, Callable[[Trained, Path], list[Any]]] = {
    "validate": _on_rows("validate"),
    "pii": _on_rows("pii"),
    "evaluate": lambda made, folder: _judged(made, folder, "evaluate", **FAST, more={"champion": made.model}),
    "explain": lambda made, folder: _judged(made, folder, "explain", repeats=1),
    "fairness": _fairness,
    "plausibility": lambda made, folder: _judged(made, folder, "plausibility"),
}


@pytest.mark.parametrize("step", sorted(REPORTS))
def test_made_up_reports_look_like_real_ones(trained: Trained, tmp_path: Path, step: str) -> None:
    """Nothing that a page is tested with is missing in what the step writes, or of another kind."""
    written = REAL[step](trained, tmp_path)
    assert shape(REPORTS[step]) - set().union(*map(shape, written)) == set()


def test_a_key_that_no_step_writes_is_seen(trained: Trained, tmp_path: Path) -> None:
    """The comparison itself can fail: a key or a kind of value that is made up is named."""
    written = shape(REAL["plausibility"](trained, tmp_path)[0])
    wrong = {**REPORTS["plausibility"], "verdict": "fine", "failed": "none"}
    assert shape(wrong) - written == {(".verdict", "text"), (".failed", "text")}
