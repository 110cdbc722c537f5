"""Two of five and the latest: the whole table."""

import itertools

import pytest

from mlstep.monitoring import rule
from mlstep.monitoring.signals import Rule

TWO_OF_FIVE = Rule(windows=5, violations=2)
TABLE = [
    ("", False, False),
    ("g", False, False),
    ("r", False, False),
    ("rr", False, True),
    ("rg", False, False),
    ("rgr", False, True),
    ("rggr", False, True),
    ("rgggr", False, True),
    ("rggggr", False, False),
    ("rrg", False, False),
    ("rrggg", False, False),
    ("grgrg", False, False),
    ("rrrrr", False, True),
    ("ggggg", False, False),
    ("rrg", True, True),
    ("rrggg", True, True),
    ("rrgggg", True, False),
    ("rggggg", True, False),
    ("ggggr", True, False),
]


@pytest.mark.parametrize(("windows", "before", "expected"), TABLE)
def test_the_table(windows: str, before: bool, expected: bool) -> None:
    """An alert begins with the second red of five if it is the latest, and ends when fewer than two are left."""
    assert rule.firing([letter == "r" for letter in windows], TWO_OF_FIVE, before) is expected


def test_every_history_of_five_windows() -> None:
    """For all 32 histories: begins if and only if two are red and the last is; goes on if and only if two are red."""
    for reds in itertools.product((False, True), repeat=5):
        assert rule.firing(reds, TWO_OF_FIVE, False) is (sum(reds) >= 2 and reds[-1])
        assert rule.firing(reds, TWO_OF_FIVE, True) is (sum(reds) >= 2)


def test_since_is_the_first_red_window_that_counts() -> None:
    """A red window that has left the last five says nothing about when this began."""
    assert rule.since([True, False, True, False, False, True, True], TWO_OF_FIVE) == 2
