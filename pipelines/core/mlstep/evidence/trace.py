"""`mlstep trace`: who, what and which data is behind an answer."""

import argparse
import json
from pathlib import Path

from mlstep.evidence.chain import BROKEN_EXIT_CODE, Trace, trace
from mlstep.evidence.colour import paint, wanted
from mlstep.evidence.links import Link
from mlstep.platform import load

_MARKS = {"verified": ("✓", "green"), "broken": ("✗", "red"), "absent": ("·", "grey")}


def main(argv: list[str]) -> int:
    """Show the chain; 0 if it is intact, 3 if a link is broken, 1 if there is no such answer."""
    parser = argparse.ArgumentParser(
        prog="mlstep trace",
        description="Everything behind one answer, each link verified.",
        epilog="example: mlstep trace --root ~/.local/share/strata/demo-dev 01K5ZJ3C4D8E6F7G8H9JKMNPQR",
    )
    parser.add_argument("request_id", help="the answer's request_id")
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    parser.add_argument("--json", action="store_true", help="for scripts")
    options = parser.parse_args(argv)
    found = trace(load(options.root), options.request_id)
    if options.json:
        print(json.dumps(found.as_json(), indent=2, sort_keys=True, default=str, ensure_ascii=False))
    else:
        print(render(found, wanted()))
    return 0 if found.intact else BROKEN_EXIT_CODE


def render(found: Trace, colour: bool) -> str:
    """The chain as text, a line a link, with what is wrong below it."""
    lines = [line for link in found.links for line in _lines(link, colour)]
    wrong = [link.link for link in found.links if link.state == "broken"]
    verdict = (
        f"broken: {', '.join(wrong)}"
        if wrong
        else f"intact: {sum(link.state == 'verified' for link in found.links)} links verified"
    )
    return "\n".join([*lines, paint(verdict, "red" if wrong else "green", colour)])


def _lines(link: Link, colour: bool) -> list[str]:
    mark, name = _MARKS[link.state]
    text = f"{mark} {link.link:<11} {link.detail}"
    problems = [f"{'':<14}{problem}" for problem in link.problems if problem != link.detail]
    if link.state == "verified":
        return [f"{paint(mark, name, colour)} {link.link:<11} {link.detail}"]
    return [paint(line, name, colour) for line in [text, *problems]]
