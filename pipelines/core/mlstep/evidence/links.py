"""The links of a chain of evidence, as data."""

from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["verified", "broken", "absent"]


@dataclass(frozen=True)
class Link:
    """One link behind an answer.

    Attributes:
        link: prediction, input, truth, model, champion, statement, author, data, code, run or gate.
        state: verified = checked and right; broken = checked and wrong, or missing although it must exist;
            absent = not there, and rightly so (no truth yet, an answer without a model).
        detail: one line for people.
        facts: the same as data.
        problems: what is wrong, one sentence each.
    """

    link: str
    state: State
    detail: str
    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def judged(link: str, detail: str, facts: dict[str, Any], problems: list[str]) -> Link:
    """A link that is verified unless something is wrong with it."""
    return Link(link, "broken" if problems else "verified", detail, facts, problems)


def broken(link: str, problem: str, **facts: Any) -> Link:
    """A link that could not be followed."""
    return Link(link, "broken", problem, facts, [problem])


def absent(link: str, detail: str, **facts: Any) -> Link:
    """A link that rightly does not exist."""
    return Link(link, "absent", detail, facts)


def short(digest: str | None) -> str:
    """The first digits of a digest, for people."""
    return "none" if not digest else f"{digest[:12]}…"
