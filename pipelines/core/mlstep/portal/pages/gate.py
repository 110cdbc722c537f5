"""Why the gate said yes or no: every rule with what was found, what is allowed, and the reports behind it."""

from pathlib import Path
from typing import Any

from mlstep.evidence.gate import counts
from mlstep.platform import Platform
from mlstep.portal.pages.model import reports
from mlstep.portal.reading import models, runs
from mlstep.portal.render import page

_FIRST = ("error", "fail", "undecided", "warn", "pass")


def render(platform: Platform, model: str, version: int) -> str | None:
    """The gate's page of a version; None if no run registered it."""
    run = runs.find_version(platform.root, model, version)
    if run is None:
        return None
    evidence = runs.evidence(run)
    passed, total = counts(evidence) if evidence else (0, 0)
    known = models.read(platform, model)
    return page(
        "gate.html",
        platform,
        f"Gate of {model} v{version}",
        "/",
        crumbs=[("/", "Models"), (f"/models/{model}", model)],
        model=model,
        version=version,
        run=run,
        evidence=evidence,
        passed=passed,
        total=total,
        rules=[] if evidence is None else sorted(evidence["rules"], key=_worst_first),
        pictures=reports(run),
        champion=next((entry for entry in reversed(known.entries) if entry.version == version), None),
        blocked=_blocked(platform, known, version, run.folder),
    )


def _worst_first(rule: dict[str, Any]) -> tuple[int, str]:
    verdict = str(rule["verdict"])
    return (_FIRST.index(verdict) if verdict in _FIRST else 0, str(rule["id"]))


def _blocked(platform: Platform, model: models.Model, version: int, run: Path) -> list[str]:
    """Why this version would not be promoted now, whoever signs; the champion itself has nothing to wait for."""
    from mlstep.alerts import promotion

    if model.integrity is not None:
        return [model.integrity]
    if model.champion is not None and model.champion.version == version:
        return []
    return promotion.refusals(platform, model.name, run)
