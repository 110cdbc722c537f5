"""Prometheus rule files from `signals.yaml`: the same rule, evaluated by Prometheus instead of by us."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from mlstep.canonical import write_atomic
from mlstep.errors import ConfigError
from mlstep.monitoring.signals import Signals, load
from mlstep.platform import Platform


def rules(signals: Signals, owner: str, workspace: str, environment: str) -> dict[str, Any]:
    """The content of the rule file.

    `mlstep alerting` exports, besides each size, how many of the last windows are red and whether the latest is: rows
    make windows, not minutes, so the rule cannot be written over a range of time.
    """
    groups = []
    for name, signal in sorted(signals.signals.items()):
        violations = 1 if signal.per == "moment" else signals.rule.violations
        red = f"{signal.metric}_red_windows"
        entry = {
            "alert": f"strata_{name}",
            "expr": f'({red}{{of="recent"}} >= {violations}) and ignoring(of) ({red}{{of="latest"}} == 1)',
            "labels": {
                "signal": name,
                "severity": signal.severity,
                "retrain": "true" if signal.retrain else "false",
                "owner": owner,
                "workspace": workspace,
                "environment": environment,
            },
            "annotations": {
                "summary": signal.summary.replace("{model}", "{{ $labels.model }}").replace(
                    "{subject}", "{{ $labels.subject }}"
                ),
                "value": _value(signal.metric),
                "threshold": f"{'above' if signal.above is not None else 'below'} {signal.threshold:g}",
                "runbook_url": signal.runbook,
            },
        }
        groups.append({"name": f"strata-{name}", "rules": [entry]})
    return {"groups": groups}


def _value(metric: str) -> str:
    """A template that asks for the size itself; the rule's own value is a number of windows."""
    query = f"printf `{metric}{{model=%q,subject=%q}}` $labels.model $labels.subject | query"
    return f'{{{{ with {query} }}}}{{{{ . | first | value | printf "%.4g" }}}}{{{{ end }}}}'


def main(facts: Platform, folder: Path) -> int:
    """Write `strata.rules.yaml` and check it with promtool, where promtool is on PATH.

    Raises:
        ConfigError: promtool refuses the file.
    """
    import yaml

    monitoring, foundation = facts.stage("monitoring"), facts.stage("foundation")
    signals = load(Path(monitoring["signals"]))
    owner = monitoring["alert_route"]["owner"] if signals.to == "owner" else signals.to
    content = rules(signals, owner, str(foundation["workspace"]), str(foundation["environment"]))
    target = folder / "strata.rules.yaml"
    write_atomic(target, yaml.safe_dump(content, sort_keys=True, allow_unicode=True, width=120))
    promtool = shutil.which("promtool")
    if promtool is None:
        print(f"{target}: {len(content['groups'])} rules, not checked: promtool is not on PATH")
        return 0
    checked = subprocess.run([promtool, "check", "rules", str(target)], capture_output=True, text=True, check=False)
    if checked.returncode:
        raise ConfigError(f"{target}: {checked.stdout}{checked.stderr}", "correct signals.yaml")
    print(f"{target}: {len(content['groups'])} rules, checked by promtool")
    return 0
