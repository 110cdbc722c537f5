"""`signals.yaml`: the delivered file is right, a wrong one is refused with every problem at once."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mlstep.errors import ConfigError
from mlstep.monitoring import measure, signals
from tests.unit.serve.kit import SIGNALS


def content() -> Any:
    """The delivered file."""
    return yaml.safe_load(SIGNALS.read_text(encoding="utf-8"))


def test_the_delivered_file_is_right() -> None:
    """It parses, every signal of it is measured, and the rule is two of five."""
    found = signals.load(SIGNALS)
    assert (found.rule.windows, found.rule.violations) == (5, 2)
    for per in ("predictions", "outcomes", "moment"):
        assert found.of(per)
        assert measure.unknown(found.of(per), per) == []


def test_every_runbook_is_there() -> None:
    """The page and the heading that an alert names exist."""
    for signal in signals.load(SIGNALS).signals.values():
        page, _, anchor = signal.runbook.partition("#")
        text = (SIGNALS.parents[1] / page).read_text(encoding="utf-8")
        headings = {line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")}
        assert anchor in headings, signal.id


def test_all_problems_are_told_at_once() -> None:
    """Seven mistakes give one message with seven places."""
    wrong = content()
    wrong["windows"]["predictions"]["rows"] = "many"
    wrong["rule"]["violations"] = 6
    wrong["surprise"] = 1
    wrong["signals"]["feature_drift"]["below"] = 0.1
    wrong["signals"]["fallbacks"]["severity"] = "bad"
    wrong["signals"]["fairness"]["retrain"] = "no"
    wrong["retraining"]["no_promotion_while"] = ["unfairness"]
    with pytest.raises(ConfigError) as caught:
        signals.parse(wrong, "signals.yaml")
    for part in (
        "windows.predictions.rows: 'many'", "rule.violations: 6, at most", "surprise: not known",
        "exactly one of above and below", "signals.fallbacks.severity: 'bad'", "signals.fairness.retrain: 'no'",
        "retraining.no_promotion_while",
    ):  # fmt: skip
        assert part in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1]", "signals_version: 2", "a: b: c", "signals: []"])
def test_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    """Empty, a list, another version, no YAML: refused with the file's name."""
    (tmp_path / "signals.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"signals\.yaml"):
        signals.load(tmp_path / "signals.yaml")
    with pytest.raises(ConfigError, match="No such file"):
        signals.load(tmp_path / "missing.yaml")
