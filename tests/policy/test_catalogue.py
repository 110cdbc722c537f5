"""The catalogue is complete: data, rule, fixtures, mutations and page of every control are there and agree."""

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from policies import controls, docs, register
from policies.controls import CATALOGUE, load_catalogue
from policies.evaluate import load_rules
from policies.model import Control, Waiver
from policies.source import InvalidSourceError
from tests.policy.cases import FIXTURES, GROUPS, fixture, mutations
from tests.policy.harness import PACK

CONTROLS = load_catalogue().controls
CONTROL_SCHEMA = json.loads((CATALOGUE / "control.schema.json").read_text(encoding="utf-8"))
REGISTER_SCHEMA = json.loads((PACK / "exceptions.schema.json").read_text(encoding="utf-8"))


def _raw(control: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((CATALOGUE / f"{control}.yaml").read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_control_has_everything(control: Control) -> None:
    """Rule with explained predicates, at least one case of each group, a mutation per inspected property."""
    for predicate in load_rules(load_catalogue())[control.id]:
        assert (predicate.__doc__ or "").strip()
    content = fixture(control.id)
    for group in GROUPS:
        assert content[group] or (group == "not_applicable" and content.get("always_applies")), group
    changed = {path for entry in mutations() if control.id in entry["fires"] for path in entry["set"]}
    missing = [name for name in control.inspects if not any(f".{name}" in path for path in changed)]
    assert missing == []


def test_no_file_is_about_an_unknown_control() -> None:
    """Fixtures, rules and mutations belong to controls of the catalogue."""
    known = {control.id for control in CONTROLS}
    assert {path.stem for path in FIXTURES.glob("*-*.yaml")} == known
    rules = {path.stem for path in (PACK / "rules").glob("*_*.py") if not path.stem.startswith("__")}
    assert rules == {name.lower().replace("-", "_") for name in known}
    assert {name for entry in mutations() for name in entry["fires"]} == known


def test_frameworks_are_described() -> None:
    """Every framework that controls refer to has a name, a text and a day of verification or none."""
    described = yaml.safe_load((CATALOGUE / "frameworks.yaml").read_text(encoding="utf-8"))["frameworks"]
    assert tuple(described) == controls.FRAMEWORKS
    assert all(set(entry) == {"name", "text", "verified_on"} for entry in described.values())


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_schema_accepts_the_catalogue(control: Control) -> None:
    """What the pack reads is what an editor accepts."""
    jsonschema.validate(_raw(control.id), CONTROL_SCHEMA)


BROKEN: dict[str, dict[str, Any]] = {
    "severity": {"severity": "huge"},
    "stage": {"stage": 5},
    "targets": {"targets": ["aws"]},
    "kind": {"kind": "thing"},
    "fix": {"fix": "magic"},
    "exceptions": {"exceptions": "yes"},
    "remedy": {"remedy": " "},
    "inspects": {"inspects": []},
    "comment": {"comment": "not a key"},
    "levels": {"levels": {"default": {"dev": "advisory", "test": "mandatory"}}},
    "prod": {"levels": {"default": {"dev": "off", "test": "off", "prod": "sometimes"}}},
    "medium": {"levels": {"default": _raw("GOV-01")["levels"]["default"], "risk_class": {"medium": {"dev": "off"}}}},
    "soc2": {"maps_to": {**_raw("GOV-01")["maps_to"], "soc2": []}},
}


@pytest.mark.parametrize("named", BROKEN)
def test_pack_and_schema_refuse_the_same(named: str, tmp_path: Path) -> None:
    """A wrong entry is refused by the pack, with the key's name, and by the editor's schema."""
    content = {**_raw("GOV-01"), **BROKEN[named]}
    assert list(jsonschema.Draft202012Validator(CONTROL_SCHEMA).iter_errors(content))
    shutil.copy(CATALOGUE / "settings.yaml", tmp_path)
    (tmp_path / "GOV-01.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(InvalidSourceError, match=named):
        load_catalogue(tmp_path)


def test_every_problem_of_every_file_is_in_one_message(tmp_path: Path) -> None:
    """Somebody who edits the catalogue sees all that is wrong, not the first."""
    shutil.copy(CATALOGUE / "settings.yaml", tmp_path)
    for name in ("GOV-01", "GOV-02"):
        content = {**_raw(name), "severity": "huge", "stage": 9}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(InvalidSourceError) as refused:
        load_catalogue(tmp_path)
    assert len(refused.value.problems) == 4


@pytest.mark.parametrize("text", ["id: A\nid: B\n", "id: [\n", "- a list\n"])
def test_broken_yaml_is_refused(tmp_path: Path, text: str) -> None:
    """Duplicate keys, syntax errors and a wrong top level are problems, not tracebacks."""
    shutil.copy(CATALOGUE / "settings.yaml", tmp_path)
    (tmp_path / "GOV-01.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidSourceError, match=r"GOV-01\.yaml"):
        load_catalogue(tmp_path)


def test_register_of_this_repository() -> None:
    """The register is valid for the pack and for editors."""
    content = yaml.safe_load((PACK / "exceptions.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(json.dumps(content, default=str)), REGISTER_SCHEMA)
    assert register.load_register(load_catalogue(), date(2026, 6, 1)).as_of == date(2026, 6, 1)


def test_register_schema_knows_the_fields_of_the_pack() -> None:
    """Pack and schema ask for the same fields."""
    fields = set(Waiver.__dataclass_fields__)
    assert set(REGISTER_SCHEMA["$defs"]["exception"]["required"]) == fields
    assert set(REGISTER_SCHEMA["$defs"]["exception"]["properties"]) == fields


def test_pages_are_up_to_date() -> None:
    """The pages in docs/controls are those the catalogue gives."""
    assert docs.differences() == []
