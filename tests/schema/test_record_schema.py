"""The committed JSON Schema is the model's, and editors get from it what `strata check` says."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from stacks import record


@pytest.fixture
def schema() -> Any:
    """The committed schema."""
    return json.loads(record.SCHEMA.read_text(encoding="utf-8"))


def demo() -> Any:
    """The demo record as plain data."""
    return YAML(typ="safe", pure=True).load(record.record_path("demo").read_text(encoding="utf-8"))


def test_the_committed_schema_is_up_to_date() -> None:
    """A change of the model without `--write-schema` fails here."""
    assert record.main(["--check-schema"]) == 0


def test_an_outdated_schema_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check fails with the command that repairs it, which then does."""
    monkeypatch.setattr(record, "SCHEMA", tmp_path / "record.schema.json")
    assert record.main(["--check-schema"]) == 1
    assert "python -m stacks.record --write-schema" in capsys.readouterr().err
    assert record.main(["--write-schema"]) == 0
    assert record.main(["--check-schema"]) == 0


def test_the_schema_is_valid_and_accepts_the_demo(schema: Any) -> None:
    """Editors can use the schema, and it accepts the committed record."""
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(demo(), schema)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("stage", 5),
        ("stage", "4"),
        ("target", "aws"),
        ("workspace", "Demo"),
        ("unknown", 1),
        ("signers", []),
        ("environments", {"qa": {}}),
    ],
)
def test_the_schema_refuses_what_check_refuses(schema: Any, key: str, value: object) -> None:
    """Ranges, allowed values and unknown keys are known to editors too."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(demo() | {key: value}, schema)


def test_every_key_explains_itself(schema: Any) -> None:
    """An editor shows one sentence for every key of every section."""
    sections = [schema, *schema["$defs"].values()]
    silent = [
        f"{section.get('title')}.{name}"
        for section in sections
        for name, entry in section.get("properties", {}).items()
        if not entry.get("description")
    ]
    assert silent == []


def test_the_record_points_to_the_schema() -> None:
    """The first line of the demo record gives editors the schema."""
    first = record.record_path("demo").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../record.schema.json"
