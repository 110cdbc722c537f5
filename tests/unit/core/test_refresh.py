"""After a passed run the newest snapshot goes online, and a failure there is told without changing the run."""

import sys
from pathlib import Path

import pytest

from mlstep.platform import Platform
from mlstep.runner.refresh import refresh_features


def platform(tmp_path: Path, *command: str) -> Platform:
    """A platform whose feature store is filled by a command."""
    return Platform(tmp_path, {"feature_store": {"materialize_command": list(command)}})


def test_what_the_command_says_is_told(tmp_path: Path) -> None:
    """The last lines of a good refresh become the event's reasons, and all lines its log."""
    where = platform(tmp_path, sys.executable, "-c", "print('one'); print('5,000 of 9,000 entities online')")
    told = refresh_features(where, tmp_path)
    assert told is not None
    assert (told["state"], told["reasons"][-1]) == ("passed", "5,000 of 9,000 entities online")
    assert "one" in Path(told["log"]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ([sys.executable, "-c", "raise SystemExit('no snapshot')"], "no snapshot"),
        (["/nonexistent/mlstep", "features"], "nonexistent"),
    ],
)
def test_a_failure_is_told(tmp_path: Path, command: list[str], says: str) -> None:
    """A command that fails or does not exist is a failed refresh with its reason."""
    told = refresh_features(platform(tmp_path, *command), tmp_path)
    assert told is not None
    assert told["state"] == "failed"
    assert says in " ".join(told["reasons"])


def test_without_a_feature_store_nothing_happens(tmp_path: Path) -> None:
    """Before stage four, and without a platform, there is nothing to refresh."""
    assert refresh_features(None, tmp_path) is None
    assert refresh_features(Platform(tmp_path, {}), tmp_path) is None
