"""A data contract is read whole: everything wrong is told at once, with its place and a remedy."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mlstep.contracts import read_contract
from mlstep.errors import ConfigError


def write(folder: Path, **changes: Any) -> Path:
    """A small valid contract, changed."""
    target = [{"property": "strata.role", "value": "target"}, {"property": "strata.positive", "value": "yes"}]
    columns = [
        {"name": "amount", "logicalType": "number", "logicalTypeOptions": {"minimum": 0, "maximum": 10}},
        {"name": "bad", "logicalType": "string", "customProperties": target},
    ]
    content = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "x", "version": "1.0.0", "status": "active",
        "name": "My Rows", "schema": [{"name": "rows", "properties": columns}],
    }  # fmt: skip
    file = folder / "rows.odcs.yaml"
    file.write_text(yaml.safe_dump({**content, **changes}), encoding="utf-8")
    return file


def test_the_reference_contract_is_read(credit_contract: Path) -> None:
    """Roles, ranges, valid values, freshness and the model's name of the credit contract."""
    contract = read_contract(credit_contract)
    assert contract.model == "credit"
    assert [column.name for column in contract.groups] == ["age_band", "gender"]
    assert "gender" not in [column.name for column in contract.features]
    assert contract.time is not None
    assert contract.entity is not None
    assert (contract.time.name, contract.entity.name) == ("applied_at", "application_id")
    assert (contract.target.name, contract.target.positive) == ("defaulted", True)
    assert contract.column("purpose").values == ("car", "education", "home", "debt_consolidation", "other")
    assert contract.freshness_hours == 72
    assert contract.column("income").maximum == 100_000


def test_the_model_is_named_after_the_data(tmp_path: Path) -> None:
    """Without strata.model, the model's name is a slug of the contract's."""
    assert read_contract(write(tmp_path)).model == "my-rows"


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Eleven mistakes are one message with eleven lines."""
    columns = [
        {"name": "amount", "logicalType": "nummer", "requried": True},
        {"name": "a", "logicalType": "number", "logicalTypeOptions": {"minimum": 5, "maximum": 1, "pattern": "x"}},
        {"name": "a", "logicalType": "string", "logicalTypeOptions": {"pattern": "["}},
        {"name": "b", "logicalType": "string", "customProperties": [{"property": "strata.role", "value": "taget"}]},
        {"name": "c", "logicalType": "string", "quality": [{"metric": "nullValues", "mustBe": 0, "mustBeLessThan": 2}]},
        {"name": "d", "logicalType": "integer", "customProperties": [{"property": "strata.role", "value": "time"}]},
        {"logicalType": "string"},
    ]
    file = write(tmp_path, schema=[{"name": "rows", "properties": columns}], apiVersion="v9", colour="red")
    with pytest.raises(ConfigError) as caught:
        read_contract(file)
    message = str(caught.value)
    expected = [
        "colour", "apiVersion", "logicalType: is 'nummer'", "did you mean required?", "above the maximum",
        "pattern: not known", "not a regular expression", "is 'taget'", "has 2 operators",
        "has the role time and the type integer", "0 columns have the role target", "is there 2 times",
    ]  # fmt: skip
    assert [text for text in expected if text not in message] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds nothing"),
        ("- a\n", "holds a list"),
        ("a: 1\na: 2\n", ":2:1: key 'a' is there twice"),
        ("a:\n\t- b\n", ":2:1:"),
        ("a: [1\n", ":2:1:"),
    ],
)
def test_bad_yaml_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    """Empty, not a map, a duplicate key, a tab, an open bracket."""
    file = tmp_path / "c.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"c\.yaml") as caught:
        read_contract(file)
    assert told in str(caught.value)


def test_a_data_file_is_no_contract(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, and a file far too large, are refused before they are parsed."""
    file = tmp_path / "c.yaml"
    file.write_bytes(b"a: \xff\xfe")
    with pytest.raises(ConfigError, match="byte 3 is not UTF-8"):
        read_contract(file)
    file.write_bytes(b"a" * 6_000_000)
    with pytest.raises(ConfigError, match="is this a data file"):
        read_contract(file)


def test_personal_data_needs_a_legal_basis(tmp_path: Path) -> None:
    """`strata.personal_data_allowed: true` names no legal basis."""
    allowed = [{"property": "strata.personal_data_allowed", "value": True}]
    target = [{"property": "strata.role", "value": "target"}]
    columns = [
        {"name": "mail", "logicalType": "string", "customProperties": allowed},
        {"name": "bad", "logicalType": "boolean", "customProperties": target},
    ]
    with pytest.raises(ConfigError, match="name the legal basis"):
        read_contract(write(tmp_path, schema=[{"name": "rows", "properties": columns}]))
