"""Sums up verdicts: per control, for the run, and against the register of exceptions."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from policies.config import AS_OF_VARIABLE, Clock
from policies.evaluate import Evaluator
from policies.model import WORSE, Control, Result, Verdict
from policies.normalise import name_of

SCHEMA = "strata-policy-report/1"
_COLUMNS = ("control", "severity", "level", "verdict", "why")


def build(evaluator: Evaluator, clock: Clock, *, preview: bool) -> dict[str, Any]:
    """Return the report of a run as plain data: same verdicts, same bytes."""
    controls = [_control(evaluator, control) for control in evaluator.catalogue.controls]
    counted = Counter(entry["verdict"] for entry in controls)
    summary = {"controls": len(controls), **{verdict.value: counted[verdict.value] for verdict in WORSE}}
    blocking = sorted({result.control for result in evaluator.results.values() if result.blocks})
    return {
        "schema": SCHEMA,
        "stack": evaluator.stack_name,
        "environments": list(evaluator.environments),
        "risk_class": evaluator.risk_class,
        "preview": preview,
        "as_of": clock.day.isoformat(),
        "as_of_chosen_by": AS_OF_VARIABLE if clock.injected else "today",
        "catalogue": {"version": evaluator.catalogue.version, "sha256": evaluator.catalogue.digest},
        "register": {"sha256": evaluator.register.digest, "exceptions": _exceptions(evaluator)},
        "summary": summary,
        "line": _line(summary),
        "blocking": blocking,
        "controls": controls,
    }


def as_json(content: dict[str, Any]) -> str:
    """Return a report as JSON text."""
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def as_table(content: dict[str, Any]) -> str:
    """Return a report as a text table, one line per control."""
    rows = [_COLUMNS] + [
        (entry["id"], entry["severity"], entry["level"], entry["verdict"], "; ".join(entry["why"]))
        for entry in content["controls"]
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS) - 1)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    risk_class = content["risk_class"] or "not known"
    about = f"stack {content['stack']}, {'/'.join(content['environments'])}, risk class {risk_class}"
    return "\n".join([*lines, "", f"{content['line']} ({about}, {content['as_of']})"]) + "\n"


def write(path: Path, text: str) -> None:
    """Write a file in one step: a reader sees the old content or the new one, never a part."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def _control(evaluator: Evaluator, control: Control) -> dict[str, Any]:
    results = sorted(
        (found for found in evaluator.results.values() if found.control == control.id), key=lambda found: found.urn
    )
    worst = max((found.verdict for found in results), key=WORSE.index, default=Verdict.NOT_APPLICABLE)
    return {
        "id": control.id,
        "title": control.title,
        "severity": control.severity,
        "level": evaluator.level(control).value,
        "verdict": worst.value,
        "why": _why(control, results, worst),
        "page": control.page,
        "resources": [_result(found) for found in results],
    }


def _why(control: Control, results: list[Result], worst: Verdict) -> list[str]:
    """Return, in a few words each, what the verdict of a control rests on."""
    if not results:
        return [f"no resource of this kind: {', '.join(control.applies_to)}"]
    findings = [finding for found in results if found.verdict is worst for finding in found.findings]
    if worst is Verdict.NOT_APPLICABLE:
        return sorted({finding.found for finding in findings})
    if worst is Verdict.PASS:
        count = sum(found.verdict is worst for found in results)
        return [
            f"{count} resource{'' if count == 1 else 's'} checked" if control.kind == "resource" else "the whole stack"
        ]
    return [f"{name_of(finding.urn)}: {finding.found}" for finding in findings]


def _result(found: Result) -> dict[str, Any]:
    return {
        "urn": found.urn,
        "verdict": found.verdict.value,
        "findings": [{"urn": entry.urn, "found": entry.found, "message": entry.message} for entry in found.findings],
        "exception": found.exception or None,
        "blocks": found.blocks,
    }


def _exceptions(evaluator: Evaluator) -> list[dict[str, Any]]:
    used = {
        identifier for found in evaluator.results.values() for identifier in found.exception.split(", ") if identifier
    }
    return [
        {
            "id": waiver.id,
            "control": waiver.control,
            "expires": waiver.expires.isoformat(),
            "standing": evaluator.register.standing(waiver),
            "used": waiver.id in used,
        }
        for waiver in sorted(evaluator.register.waivers, key=lambda waiver: waiver.id)
    ]


def _line(summary: dict[str, int]) -> str:
    """Return one line for people: `10 controls, 9 pass, 1 not applicable, 0 undetermined`, and what else there is."""
    parts = [f"{summary['controls']} control{'' if summary['controls'] == 1 else 's'}", f"{summary['pass']} pass"]
    parts += [f"{summary[verdict]} {verdict}" for verdict in ("fail", "error", "excepted") if summary[verdict]]
    parts += [f"{summary[verdict]} {verdict}" for verdict in ("not applicable", "undetermined")]
    return ", ".join(parts)
