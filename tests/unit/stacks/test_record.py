"""A good record becomes one frozen object, seen from one environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from stacks import record
from stacks.record_rules import cron_problem, same_person
from tests.unit.stacks.conftest import GOOD


def test_a_good_record_has_no_problems(record_file: Path, repository: Path) -> None:
    """The record that the other tests break is accepted as it is."""
    assert record.check(record_file, repository) == []


def test_the_committed_records_can_be_used() -> None:
    """Every record in the repository loads for each of its environments."""
    names = record.workspaces()
    assert "demo" in names
    for name in names:
        file = record.load(f"{name}-dev").file
        assert {record.load(f"{name}-{environment}").environment for environment in file.environments} == set(
            file.environments
        )


def test_an_environment_sees_its_own_stage_and_settings(record_file: Path, repository: Path) -> None:
    """Stage, folder and ports are those of the environment, else those of the workspace or the defaults."""
    prod = "  prod: {stage: 2, local: {ports: {base: 26000}, data_dir: /srv/strata}}\n"
    record_file.write_text(GOOD + prod, encoding="utf-8")
    dev, lagging = record.load("demo-dev", repository), record.load("demo-prod", repository)
    assert (dev.stage, dev.local.ports.base) == (4, 25100)
    assert dev.root == Path.home() / ".local/share/strata/demo-dev"
    assert (lagging.stage, lagging.local.ports.base, lagging.root) == (2, 26000, Path("/srv/strata"))
    assert lagging.stack_name == "demo-prod"


def test_nothing_in_a_record_can_be_changed(repository: Path) -> None:
    """A loaded record is frozen at every level."""
    chosen = record.load("demo-dev", repository)
    with pytest.raises(ValidationError):
        chosen.file.use_case.owner = "x@y.example"


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        ("demo", "demo does not end in an environment"),
        ("demo-stage", "write <workspace>-dev, <workspace>-test or <workspace>-prod"),
        ("dema-dev", "no record stacks/workspaces/dema.yaml  did you mean demo-dev?"),
        ("other-dev", "workspaces: demo"),
        ("demo-prod", "environments.prod  missing  add it, or use one of: dev"),
    ],
)
def test_a_wrong_stack_name_says_what_is_right(repository: Path, stack: str, words: str) -> None:
    """A stack that no record describes is refused with the remedy."""
    with pytest.raises(record.RecordError) as caught:
        record.load(stack, repository)
    assert words in " ".join(str(caught.value).split()) or words in str(caught.value)


def test_a_bad_record_does_not_load(record_file: Path, repository: Path) -> None:
    """Loading raises with every problem in the text."""
    record_file.write_text(
        GOOD.replace("stage: 4", "stage: 7").replace("risk_class: high", "risk_class: low"), encoding="utf-8"
    )
    with pytest.raises(record.RecordError) as caught:
        record.load("demo-dev", repository)
    assert str(caught.value).startswith("stacks/workspaces/demo.yaml: 2 problems")
    assert [problem.key for problem in caught.value.problems] == ["stage", "use_case.risk_class"]


@pytest.mark.parametrize("expression", ["0 6 * * *", "*/15 * * * mon-fri", "0 0 1 jan,jul *", "5 4 * * sun"])
def test_schedules_that_every_scheduler_reads_alike(expression: str) -> None:
    """Five fields with named weekdays are accepted."""
    assert cron_problem(expression) is None


@pytest.mark.parametrize(
    "expression", ["", "hourly", "60 * * * *", "* * 31-30 * *", "0 6 * * 7", "0 6 * * mon-5", "0 6 * * 1-5/2"]
)
def test_schedules_that_are_refused(expression: str) -> None:
    """What is not cron, and what means different days to different schedulers, is refused."""
    assert cron_problem(expression)


def test_the_same_person_in_other_letters() -> None:
    """Letter case and a +suffix do not make another person; anything else does."""
    assert same_person("A.Lind@Bank.example", "a.lind+risk@bank.example")
    assert not same_person("a.lind@bank.example", "a.lind@other.example")
    assert not same_person(None, None)
