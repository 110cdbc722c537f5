"""Every decision record is complete and listed."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "adr"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_record_has_its_parts(record: Path) -> None:
    """Status, context, decision and consequences are there."""
    text = record.read_text(encoding="utf-8")
    missing = [part for part in ("Status: ", "## Context", "## Decision", "## Consequences") if part not in text]
    assert missing == []


def test_index_lists_exactly_the_records() -> None:
    """A record that is not in the index cannot be found; one that is only in the index does not exist."""
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = [line.split("](")[1].split(")")[0] for line in index.splitlines() if line.startswith("| [")]
    assert listed == [record.name for record in RECORDS]


def test_numbers_have_no_gap() -> None:
    """Records are numbered from one on."""
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))
