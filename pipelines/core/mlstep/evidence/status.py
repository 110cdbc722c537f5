"""`mlstep status`: a platform on one screen."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlstep.evidence.colour import paint, wanted
from mlstep.evidence.overview import gather, needs_attention
from mlstep.platform import load


def main(argv: list[str]) -> int:
    """Show it; 1 when a process is down, something does not verify or an alert is on, else 0."""
    parser = argparse.ArgumentParser(
        prog="mlstep status",
        description="Stage, processes, champions, alerts, runs. Exit code 1 when something needs attention.",
        epilog="example: mlstep status --root ~/.local/share/strata/demo-dev",
    )
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    parser.add_argument("--json", action="store_true", help="for scripts")
    options = parser.parse_args(argv)
    found = gather(load(options.root))
    attention = needs_attention(found)
    if options.json:
        print(json.dumps({**found, "attention": attention}, indent=2, sort_keys=True, ensure_ascii=False))
    else:
        print("\n".join(_lines(found, attention, wanted())))
    return 1 if attention else 0


def _lines(found: dict[str, Any], attention: list[str], colour: bool) -> Iterator[str]:
    stage = found["stage"]
    yield (
        paint(f"{found['workspace']}-{found['environment']}", "bold", colour)
        + f"  target {found['target']}  {found['root']}"
    )
    yield f"stage       {stage['configured']} configured, {stage['reached']} reached"
    for entry in stage["stages"]:
        if entry["configured"]:
            shown = ", ".join(f"{what} {_time(when)}" for what, when in entry["proofs"].items())
            yield f"  {_mark(entry['reached'], colour)} {entry['stage']} {entry['name']:<14} {shown}"
    yield "processes   " + ("  ".join(_process(entry, colour) for entry in found["processes"]) or "none")
    for model in found["models"]:
        yield from _model(model, colour)
    yield f"alerts      {len(found['alerts'])} open"
    for alert in found["alerts"]:
        yield paint(
            f"  {alert['summary']}  since {_time(alert['since'])}  owner {alert['owner']}  {alert['runbook']}",
            "yellow",
            colour,
        )
    for run in found["runs"]:
        why = f"  {run['reasons'][0]}" if run["reasons"] else ""
        when = f"{_time(run['started'])}  by {run['author']}"
        yield f"run         {run['pipeline']} {run['run']}  {run['state']}  {when}{why}"
    for candidate in found["waiting"]:
        command = f"strata sign {candidate['model']} v{candidate['version']}"
        yield f"candidate   {candidate['model']} v{candidate['version']} by {candidate['author']} waits: {command}"
    for sentence in attention:
        yield paint(f"attention   {sentence}", "red", colour)
    if not attention:
        yield paint("nothing needs attention", "green", colour)


def _model(model: dict[str, Any], colour: bool) -> Iterator[str]:
    champion = model["champion"]
    if champion is None:
        problem = paint(str(model["problem"]), "red", colour)
        yield f"model       {model['name']}  {problem if model['problem'] else 'no champion yet: the fallback answers'}"
        return
    auc = model["metrics"].get("auc")
    words = f"AUC {auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]" if auc else ""
    name = f"{model['name']} v{champion['version']}  sha256 {champion['digest'][:12]}"
    yield f"model       {name}  since {_time(champion['since'])} by {champion['by']}  {words}".rstrip()
    alias = model["alias"]
    yield f"  {_mark(alias['state'] == 'in line', colour)} MLflow's alias {alias['state']}: {alias['detail']}"


def _process(entry: dict[str, Any], colour: bool) -> str:
    healthy = entry["state"] == "healthy"
    return paint(
        f"{entry['name']}:{entry['port']} {'ok' if healthy else entry['state']}", "green" if healthy else "red", colour
    )


def _mark(good: bool, colour: bool) -> str:
    return paint("✓", "green", colour) if good else paint("·", "grey", colour)


def _time(moment: str | None) -> str:
    return "never" if moment is None else f"{moment[:10]} {moment[11:16]}Z"
