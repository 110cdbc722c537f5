"""The test tiers' summary tells the truth, also about a tier that died."""

import sys
from pathlib import Path

import pytest

from tools import tiers


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a `dev` environment and no tests."""
    (tmp_path / ".strata/envs/dev/bin").mkdir(parents=True)
    (tmp_path / ".strata/envs/dev/bin/python").symlink_to(sys.executable)
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # processes of processes would only cost time
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -q -p no:cacheprovider\n")
    return tmp_path


def _tier(root: Path, name: str, text: str) -> None:
    folder = root / "tests" / name
    folder.mkdir(parents=True)
    (folder / f"test_{name}.py").write_text(text)


def test_counts_and_exit_code(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One line a tier in the given order, a sum, and the tiers that have no tests yet."""
    _tier(root, "unit", "import pytest\ndef test_a(): pass\ndef test_b(): pass\ndef test_c(): pytest.skip('later')\n")
    _tier(root, "docs", "def test_a(): assert 1 == 2\n")
    assert tiers.main(["--root", str(root), "unit", "docs", "engine"]) == 1
    lines = [line.split() for line in capfd.readouterr().out.splitlines() if line]
    assert [line[:4] for line in lines if line[0] in ("unit", "docs", "all")] == [
        ["unit", "2", "0", "1"],
        ["docs", "0", "1", "0"],
        ["all", "2", "1", "1"],
    ]
    assert lines[-1] == ["no", "tests", "yet:", "engine"]


def test_good_run(root: Path) -> None:
    """Everything passed: exit code 0."""
    _tier(root, "unit", "def test_a(): pass\n")
    assert tiers.main(["--root", str(root), "unit", "engine"]) == 0


def test_tier_that_died_is_no_success(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A process that ends without a report counts as failed, with its exit code."""
    _tier(root, "unit", "import os\ndef test_a(): os._exit(9)\n")
    assert tiers.main(["--root", str(root), "unit"]) == 1
    assert "pytest ended with exit code 9" in capfd.readouterr().out


def test_nothing_at_all_is_no_success(root: Path) -> None:
    """No tier had a test: that is not what anybody wanted."""
    assert tiers.main(["--root", str(root)]) == 1


def test_unknown_tier(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A name that is no tier is refused with those that are."""
    with pytest.raises(SystemExit):
        tiers.main(["--root", str(root), "units"])
    assert "choose from unit, contract" in capfd.readouterr().err
