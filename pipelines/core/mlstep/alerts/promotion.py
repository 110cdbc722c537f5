"""What an alert about the champion means for the promotion of a candidate."""

from pathlib import Path
from typing import Any

from mlstep import history, platform
from mlstep.alerts import intake
from mlstep.canonical import read_json
from mlstep.monitoring import signals
from mlstep.platform import Platform

FAIRNESS = "fairness"


def forbidding(root: Path, model: str) -> list[dict[str, Any]]:
    """Alerts that are on for a model and whose signal stands under `no_promotion_while` in signals.yaml."""
    facts = platform.load(root)
    if not facts.has("monitoring"):
        return []
    named = signals.load(Path(facts.stage("monitoring")["signals"])).retraining.no_promotion_while
    return [
        entry
        for entry in intake.firing(root)
        if entry["labels"].get("model") == model and entry["labels"].get("signal") in named
    ]


def refusals(facts: Platform, model: str, run: Path) -> list[str]:
    """Why the candidate of a run is not promoted meanwhile; empty if it may be.

    The rule: while such an alert is on, nothing is promoted. The one exception is what ends an alert about fairness, a
    fairer model. A candidate passes if its own fairness report
    - judged other rows than those the champion passed on: they did not show what production shows. Such rows exist,
      because the alert was measured on outcomes that came in. (Where the champion's run is gone nobody can tell, and
      this does not count against the candidate.)
    - decides the group of every such alert, with a lower bound of its ratio at or above the report's limit. The alert
      says that the ratio in production is below it, so this is better than what answers now.
    Going back to a former champion is always allowed: it is the way out while people look.

    Args:
        run: the folder of the run that made the candidate.

    Raises:
        IntegrityError: the history does not verify.
    """
    reasons = []
    for entry in forbidding(facts.root, model):
        signal, subject = entry["labels"]["signal"], entry["labels"].get("subject", "")
        told = f"alert {signal}{f' ({subject})' if subject else ''} is on"
        if signal != FAIRNESS:
            reasons.append(told)
        elif why := _not_fairer(facts, model, run, subject):
            reasons.append(f"{told}, and {why}")
    return reasons


def _not_fairer(facts: Platform, model: str, run: Path, subject: str) -> str:
    """Why the candidate is not shown to be fairer to a group, `column=group`; empty if it is."""
    rows = _rows(run)
    if rows is not None and rows == _champions_rows(facts, model):
        return "the candidate was judged on the rows that the champion passed on"
    file = run / "fairness" / "report" / "report.json"
    if not file.is_file():
        return "the candidate has no fairness report"
    report = read_json(file)
    ratio = _ratio(report, subject)
    if ratio is None:
        return "the candidate's fairness report does not decide that group"
    if ratio["low"] < report["smallest_ratio"]:
        return f"the candidate's ratio may be as low as {ratio['low']:.3f}, below {report['smallest_ratio']:g}"
    return ""


def _ratio(report: dict[str, Any], subject: str) -> dict[str, Any] | None:
    column, _, group = subject.partition("=")
    judged = report.get("columns", {}).get(column, {}).get("groups", [])
    found: dict[str, Any] = next((entry for entry in judged if entry["group"] == group), {})
    ratio: dict[str, Any] | None = found.get("approval_rate_ratio")
    return ratio


def _champions_rows(facts: Platform, model: str) -> str | None:
    champion = history.current(facts, model)
    return None if champion is None else _rows(facts.root / "runs" / champion.pipeline / champion.run)


def _rows(run: Path) -> str | None:
    """Digest of the rows that a run started from."""
    file = run / "ingest" / "data" / "manifest.json"
    return str(read_json(file)["digest"]) if file.is_file() else None
