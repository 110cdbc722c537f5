"""The gate's policy: a file of rules about fields of reports, read strictly and applied to parsed reports."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

from mlstep.problems import Problems, unknown_keys
from mlstep.yaml_file import load_map

POLICY_VERSION = 1
REPORTS = ("validate", "pii", "evaluate", "explain", "fairness", "plausibility")
REQUIRED_REPORTS = ("validate", "pii", "evaluate", "fairness", "plausibility")
"""Without these nothing passes the gate, and nothing is promoted, whatever a policy asks for."""
OPERATORS = {
    "above": "above",
    "at_least": "at least",
    "below": "below",
    "at_most": "at most",
    "equals": "equal to",
    "one_of": "one of",
}
_RULE = {"id", "report", "field", "bound", "only_if", "severity", "undecided", "why", *OPERATORS}
_TOP = {"policy_version", "name", "owner", "rules"}
Severity = Literal["fail", "warn"]
Verdict = Literal["pass", "warn", "fail"]
_ABSENT = object()


@dataclass(frozen=True)
class Rule:
    """One rule; see the head of a policy file for the meaning of its keys."""

    id: str
    report: str
    field: str
    operator: str
    limit: Any
    why: str
    bound: str | None = None
    only_if: str | None = None
    severity: Severity = "fail"
    undecided: Severity = "fail"


@dataclass(frozen=True)
class Policy:
    """A gate's policy."""

    name: str
    owner: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Finding:
    """A rule applied to one field.

    Attributes:
        id: the rule's, its `*` replaced by what it stood for.
        found: number, text, or interval {value, low, high}; None when absent or not decidable.
        limit: as the policy writes it.
        must: the limit in words.
        about: what the number is about, or why there is none.
    """

    id: str
    verdict: Verdict
    found: Any
    limit: Any
    must: str
    about: str
    why: str

    def as_json(self) -> dict[str, Any]:
        """As it stands in the evidence."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """For people: `fairness.age_band.approval_rate_ratio  0.71 [0.66, 0.76]  must …  group 18-25, n = 4,210`."""
        return "  ".join(part for part in (self.id, shown(self.found), self.must, self.about) if part)


def read_policy(path: Path) -> Policy:
    """Read a policy.

    Raises:
        ConfigError: not a policy; every problem in one message.
    """
    content = load_map(path)
    problems = Problems(str(path))
    unknown_keys(problems, "", content, _TOP)
    if content.get("policy_version") != POLICY_VERSION:
        problems.add("policy_version", f"is {content.get('policy_version')!r}", f"write {POLICY_VERSION}")
    for key in ("name", "owner"):
        if not isinstance(content.get(key), str) or not content[key]:
            problems.add(key, f"is {content.get(key)!r}", "write a name")
    entries = content.get("rules")
    if not isinstance(entries, list) or not entries:
        problems.add("rules", "has no rule", "write at least one: a gate without rules passes everything")
        entries = []
    rules = [_rule(problems, f"rules[{number}]", entry) for number, entry in enumerate(entries)]
    names = [rule.id for rule in rules if rule is not None]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"rule {name}", "is there twice", "name every rule once")
    problems.raise_if_any("the head of pipelines/credit/policy.yaml explains every key")
    return Policy(content["name"], content["owner"], tuple(rule for rule in rules if rule is not None))


def apply(policy: Policy, reports: Mapping[str, Any]) -> tuple[list[Finding], list[str]]:
    """Every finding in the policy's order, and the ids of rules that do not apply."""
    findings: list[Finding] = []
    idle: list[str] = []
    for rule in policy.rules:
        report = reports.get(rule.report)
        if report is None:
            findings.append(_finding(rule, rule.id, None, rule.severity, f"there is no report of {rule.report}"))
        elif rule.only_if is not None and not _lookup(report, rule.only_if)[0][1]:
            idle.append(rule.id)
        else:
            findings += [_judge(rule, key, value) for key, value in _lookup(report, rule.field)]
    return findings, idle


def shown(found: Any) -> str:
    """A found value for people: numbers to three digits, intervals with their bounds."""
    if isinstance(found, dict):
        return f"{_number(found['value'])} [{_number(found['low'])}, {_number(found['high'])}]"
    if isinstance(found, float):
        return _number(found)
    if isinstance(found, list):
        return f"{len(found)}: {', '.join(map(str, found))}" if found else "none"
    return "nothing" if found is None else str(found)


def _judge(rule: Rule, key: str, value: Any) -> Finding:
    name = rule.id.replace("*", key)
    if value is _ABSENT:
        return _finding(
            rule, name, None, rule.severity, f"the report of {rule.report} has no {rule.field.replace('*', key or '*')}"
        )
    if value is None:
        lenient = "warn" in {rule.severity, rule.undecided}
        return _finding(rule, name, None, "warn" if lenient else "fail", "not decidable")
    about = str(value.get("about", "")) if isinstance(value, dict) else ""
    measured = _measure(rule, value)
    if measured is _ABSENT:
        return _finding(rule, name, None, rule.severity, f"{rule.field} has no {rule.bound or 'value'} to compare")
    return _finding(rule, name, value, "pass" if _holds(rule, measured) else rule.severity, about)


def _finding(rule: Rule, name: str, value: Any, verdict: Verdict, about: str) -> Finding:
    found = {key: value[key] for key in ("value", "low", "high")} if isinstance(value, dict) else value
    limit = ", ".join(map(str, rule.limit)) if rule.operator == "one_of" else rule.limit
    of = "of " if rule.operator in {"at_least", "at_most"} else ""
    bounds = {"low": f"have a lower bound {of}", "high": f"have an upper bound {of}", None: "be "}
    return Finding(
        name,
        verdict,
        found,
        rule.limit,
        f"must {bounds[rule.bound]}{OPERATORS[rule.operator]} {limit}",
        about,
        rule.why,
    )


def _measure(rule: Rule, value: Any) -> Any:
    """What is compared with the limit: a bound of an interval, the length of a list, or the value itself."""
    if isinstance(value, dict):
        value = value.get(rule.bound or "value", _ABSENT)
    elif rule.bound is not None:
        return _ABSENT
    if isinstance(value, list):
        value = len(value)
    if rule.operator not in {"equals", "one_of"} and (isinstance(value, bool) or not isinstance(value, int | float)):
        return _ABSENT
    return value


def _holds(rule: Rule, measured: Any) -> bool:
    limit = rule.limit
    if rule.operator in {"equals", "one_of"}:
        return bool(measured == limit if rule.operator == "equals" else measured in limit)
    answers = {
        "above": measured > limit,
        "at_least": measured >= limit,
        "below": measured < limit,
        "at_most": measured <= limit,
    }
    return bool(answers[rule.operator])


def _lookup(report: Any, field: str) -> list[tuple[str, Any]]:
    """(what `*` stood for, value) for a dotted path; the value is `_ABSENT` where the path leads nowhere."""
    found: list[tuple[str, Any]] = [("", report)]
    for part in field.split("."):
        found = [entry for key, value in found for entry in _step(key, value, part)]
    return found or [("", _ABSENT)]


def _step(key: str, value: Any, part: str) -> list[tuple[str, Any]]:
    if part == "*":
        return sorted(value.items()) if isinstance(value, dict) else []
    return [(key, value.get(part, _ABSENT) if isinstance(value, dict) else _ABSENT)]


def _rule(problems: Problems, place: str, entry: Any) -> Rule | None:
    if not isinstance(entry, dict):
        problems.add(place, f"is {entry!r}", "write a map with id, report, field and a limit")
        return None
    place = f"{place} {entry.get('id', '')}".rstrip()
    before = len(problems.found)
    unknown_keys(problems, place, entry, _RULE)
    for key in ("id", "report", "field", "why"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            problems.add(f"{place}.{key}", f"is {entry.get(key)!r}", "write a text")
    choices = {"report": REPORTS, "bound": ("low", "high"), "severity": ("fail", "warn"), "undecided": ("fail", "warn")}
    for key, allowed in choices.items():
        if isinstance(entry.get(key), str) and entry[key] not in allowed:
            problems.add(f"{place}.{key}", f"is {entry[key]!r}", f"allowed: {', '.join(allowed)}")
    operators = [key for key in OPERATORS if key in entry]
    if len(operators) != 1:
        problems.add(place, f"has {len(operators)} limits {operators}", f"write exactly one of {', '.join(OPERATORS)}")
    else:
        _check_limit(problems, place, operators[0], entry[operators[0]])
    if str(entry.get("id")).count("*") != str(entry.get("field")).count("*") or str(entry.get("field")).count("*") > 1:
        problems.add(f"{place}.field", f"is {entry.get('field')!r}", "write one * in both id and field, or in neither")
    if len(problems.found) > before:
        return None
    return Rule(
        id=entry["id"],
        report=entry["report"],
        field=entry["field"],
        operator=operators[0],
        limit=entry[operators[0]],
        why=entry["why"],
        bound=entry.get("bound"),
        only_if=entry.get("only_if"),
        severity=cast(Severity, entry.get("severity", "fail")),
        undecided=cast(Severity, entry.get("undecided", "fail")),
    )


def _check_limit(problems: Problems, place: str, operator: str, limit: Any) -> None:
    if operator == "one_of" and (not isinstance(limit, list) or not limit):
        problems.add(f"{place}.one_of", f"is {limit!r}", "write a list of values")
    if operator not in {"one_of", "equals"} and (isinstance(limit, bool) or not isinstance(limit, int | float)):
        problems.add(f"{place}.{operator}", f"is {limit!r}", "write a number")


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"
