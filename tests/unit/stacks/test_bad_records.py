"""Every kind of wrong record gives one message with line, key, what was found and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.problems import render
from stacks.record import check
from tests.unit.stacks.conftest import GOOD

DATA_DIR = "data_dir: null"

# (name, text in the good record, what replaces it, line of the problem, its key, words that must be in the message)
CHANGES = [
    ("unknown key", "workspace: demo", "workspace: demo\nstages: 4", 4, "stages", "unknown key  did you mean stage?"),
    ("unknown nested key", "owner: o.lind", "ownr: o.lind", 12, "use_case.ownr", "did you mean owner?"),
    ("unknown key without a near one", "stage: 4", "stage: 4\nzzz: 1", 6, "zzz", "allowed here: data, environments"),
    ("text for a number", "stage: 4", 'stage: "4"', 5, "stage", "4 (text)  write a whole number without quotes"),
    (
        "a list for keys",
        "      ports: {base: 25100}",
        "      ports: [25100]",
        47,
        "environments.dev.local.ports",
        "list of 1",
    ),
    (
        "a number for text",
        "purpose: Estimate",
        "purpose: 12 #",
        10,
        "use_case.purpose",
        "12 (number)  write text, in quotes",
    ),
    ("stage 0", "stage: 4", "stage: 0", 5, "stage", "0 (number)  must be 1 or more"),
    ("stage 5", "stage: 4", "stage: 5", 5, "stage", "5 (number)  must be 4 or less"),
    ("stage missing", "stage: 4\n", "", 1, "stage", "missing  add it: 1 registry, 2 pipelines"),
    ("unknown target", "target: local", "target: aws", 4, "target", "write 'azure', 'gcp', 'kubernetes' or 'local'"),
    (
        "environment leads dev",
        "environments:\n  dev:",
        "environments:\n  prod: {stage: 4, local: {ports: {base: 26000}}}\n  dev:\n    stage: 3",
        45,
        "environments.prod.stage",
        "4 leads dev (3)  raise dev first, or lower prod",
    ),
    (
        "dev leads the workspace",
        "  dev:\n",
        "  dev:\n    stage: 4\n",
        46,
        "environments.dev.stage",
        "4 leads the workspace (3)",
    ),
    ("unknown environment", "  dev:", "  staging:", 45, "environments.staging", "allowed here: dev, test, prod"),
    (
        "owner approves",
        "risk_approver: r.holm@demo.example",
        "risk_approver: O.Lind@demo.example",
        14,
        "use_case.risk_approver",
        "same person as owner (O.Lind@demo.example)  name somebody of the second line",
    ),
    ("owner is the deputy", "deputy: d.berg", "deputy: o.lind+x", 13, "use_case.deputy", "same person as owner"),
    (
        "owner signs as risk",
        "- name: r.holm",
        "- name: o.lind",
        19,
        "signers[0].name",
        "the owner (o.lind@demo.example) signs as risk",
    ),
    ("no address", "owner: o.lind@demo.example", "owner: Olof Lind", 12, "use_case.owner", "write one e-mail address"),
    (
        "prohibited",
        "risk_class: high",
        "risk_class: prohibited",
        11,
        "use_case.risk_class",
        "the EU AI Act (Article 5) forbids",
    ),
    (
        "unknown risk class",
        "risk_class: high",
        "risk_class: huge",
        11,
        "use_case.risk_class",
        "write 'high', 'limited' or 'minimal'",
    ),
    ("signer's key", "key: demo", "key: ed25519:abc", 21, "signers[0].key", "write ed25519:<base64 of 32 bytes>"),
    (
        "data owner missing",
        "    owner: p.ek@demo.example\n",
        "",
        24,
        "data[0].owner",
        "missing  name the person who answers for it",
    ),
    (
        "contract missing",
        "applications.odcs.yaml",
        "applications.odcs.yml",
        25,
        "data[0].contract",
        "applications.odcs.yml not found  did you mean pipelines/credit/applications.odcs.yaml?",
    ),
    (
        "definition is a folder",
        "pipelines/credit/pipeline.yaml",
        "pipelines/credit",
        32,
        "pipelines[0].definition",
        "is a folder",
    ),
    (
        "source of another kind",
        '"synthetic:credit?rows=100000&seed=7"',
        "s3://b/x.csv",
        26,
        "data[0].source",
        "scheme s3: is not known",
    ),
    (
        "source not found",
        '"synthetic:credit?rows=100000&seed=7"',
        "rows.csv",
        26,
        "data[0].source",
        "rows.csv not found",
    ),
    ("freshness", "freshness_hours: 24", "freshness_hours: 0", 28, "data[0].freshness_hours", "must be 1 or more"),
    (
        "cron with four fields",
        '"0 6 * * *"',
        '"0 6 * *"',
        33,
        "pipelines[0].schedule",
        "Wrong number of fields; got 4, expected 5",
    ),
    ("cron out of range", '"0 6 * * *"', '"0 25 * * *"', 33, "pipelines[0].schedule", "0 25 * * *"),
    ("cron with a numbered weekday", '"0 6 * * *"', '"0 6 * * 1"', 33, "pipelines[0].schedule", "use mon to sun"),
    (
        "no gate at stage 2",
        "    approval_gate: risk\n",
        "",
        31,
        "pipelines[0].approval_gate",
        "name a signer's role: risk",
    ),
    (
        "gate without signer",
        "approval_gate: risk",
        "approval_gate: legal",
        34,
        "pipelines[0].approval_gate",
        "no signer has the role legal",
    ),
    (
        "route",
        "alert_route: owner",
        "alert_route: pager",
        39,
        "monitoring.alert_route",
        "write owner, deputy, or one e-mail address",
    ),
    (
        "port too high",
        "base: 25100",
        "base: 70000",
        47,
        "environments.dev.local.ports.base",
        "70000 (number)  must be 65526 or less",
    ),
    (
        "ports overlap",
        "environments:\n",
        "environments:\n  test: {local: {ports: {base: 25105}}}\n",
        45,
        "environments.test.local.ports.base",
        "25105 to 25114 overlaps dev (25100 to 25109)  write 25110 or more",
    ),
    (
        "data_dir with a space",
        DATA_DIR,
        "data_dir: /srv/my data",
        48,
        "environments.dev.local.data_dir",
        "contains a space",
    ),
    ("data_dir relative", DATA_DIR, "data_dir: data", 48, "environments.dev.local.data_dir", "is not an absolute path"),
    (
        "data_dir too long",
        DATA_DIR,
        f"data_dir: /srv/{'x' * 80}",
        48,
        "environments.dev.local.data_dir",
        "bytes  shorten it by",
    ),
    (
        "data_dir is home",
        DATA_DIR,
        "data_dir: '~'",
        48,
        "environments.dev.local.data_dir",
        "holds more than this platform",
    ),
    ("workspace name", "workspace: demo", "workspace: Demo_1", 3, "workspace", "must be the file's name: write demo"),
    (
        "name twice",
        "pipelines:\n",
        "pipelines:\n  - {name: credit, definition: pipelines/credit/pipeline.yaml, approval_gate: risk}\n",
        32,
        "pipelines[1].name",
        "credit appears twice (first in line 31)",
    ),
]


@pytest.mark.parametrize(("old", "new", "line", "key", "words"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_one_wrong_thing_gives_one_problem(
    record_file: Path, repository: Path, old: str, new: str, line: int, key: str, words: str
) -> None:
    """One wrong thing in a good record is one problem, at its line and key, with the remedy."""
    text = GOOD if "leads the workspace" not in words else GOOD.replace("stage: 4", "stage: 3")
    assert old in text
    record_file.write_text(text.replace(old, new, 1), encoding="utf-8")
    problems = check(record_file, repository)
    message = render("demo.yaml", problems)
    assert [(problem.line, problem.key) for problem in problems] == [(line, key)], message
    assert " ".join(words.split()) in " ".join(message.split())


def test_a_target_to_come_says_so(record_file: Path, repository: Path) -> None:
    """A target of the design that is not built yet is named as such, and demo keys are refused with it."""
    record_file.write_text(GOOD.replace("target: local", "target: azure"), encoding="utf-8")
    message = render("demo.yaml", check(record_file, repository))
    assert "target          azure is not yet available  write local: it is the only target so far" in message
    assert "signers[0].key  demo on target azure        write ed25519:<base64 of 32 bytes>" in message


def test_all_problems_are_in_one_message(record_file: Path, repository: Path) -> None:
    """Wrong shape, rules between keys and missing files are told together, in the order of the file."""
    text = (
        GOOD.replace("stage: 4", "stage: 9")
        .replace("r.holm@demo", "o.lind@demo")
        .replace("applications.odcs", "nothing.odcs")
    )
    record_file.write_text(text.replace("interval_seconds", "interval_secs"), encoding="utf-8")
    problems = check(record_file, repository)
    assert [problem.key for problem in problems] == [
        "stage",
        "use_case.risk_approver",
        "signers[0].name",
        "data[0].contract",
        "monitoring.interval_secs",
    ]
    assert render("demo.yaml", problems).startswith("demo.yaml: 5 problems\n")
