"""Read an ODCS v3.1.0 file into a `DataContract`; every problem in one message.

The standard: https://github.com/bitol-io/open-data-contract-standard (Apache-2.0). Only what changes a verdict is
interpreted; the rest (servers, team, price …) may be there and is left to other tools.
"""

import re
from pathlib import Path
from typing import Any

from mlstep.canonical import digest_bytes
from mlstep.contracts.columns import parse_column
from mlstep.contracts.fields import custom_properties
from mlstep.contracts.model import Column, DataContract
from mlstep.contracts.rules import parse_rules
from mlstep.problems import Problems, unknown_keys
from mlstep.yaml_file import load_map

_API_VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0")
_TOP = {
    "version", "kind", "apiVersion", "id", "name", "tenant", "tags", "status", "servers", "dataProduct",
    "description", "domain", "schema", "support", "price", "team", "roles", "slaDefaultElement",
    "slaProperties", "authoritativeDefinitions", "customProperties", "contractCreatedTs",
}  # fmt: skip
_REQUIRED = ("version", "apiVersion", "kind", "id", "status")
_TABLE = {
    "name", "logicalType", "physicalType", "physicalName", "description", "businessName",
    "authoritativeDefinitions", "tags", "customProperties", "dataGranularityDescription", "properties",
    "relationships", "quality",
}  # fmt: skip
_HOURS = {
    "m": 1 / 60,
    "min": 1 / 60,
    "minute": 1 / 60,
    "minutes": 1 / 60,
    "h": 1,
    "hr": 1,
    "hour": 1,
    "hours": 1,
    "d": 24,
    "day": 24,
    "days": 24,
}


def read_contract(path: Path) -> DataContract:
    """Read, check and freeze a data contract.

    Raises:
        ConfigError: not a contract, or one that contradicts itself; the message lists every problem with its place.
    """
    return parse_contract(load_map(path), path.read_bytes(), str(path))


def parse_contract(content: dict[str, Any], data: bytes, file: str) -> DataContract:
    """Check and freeze a contract's content; `data` are its bytes, `file` is what messages call it.

    Raises:
        ConfigError: as `read_contract`.
    """
    problems = Problems(file)
    unknown_keys(problems, "", content, _TOP)
    for key in _REQUIRED:
        if key not in content:
            problems.add(key, "missing", "the standard demands it")
    if content.get("kind", "DataContract") != "DataContract":
        problems.add("kind", f"is {content['kind']!r}", "write DataContract")
    if "apiVersion" in content and content["apiVersion"] not in _API_VERSIONS:
        problems.add("apiVersion", f"is {content['apiVersion']!r}", f"allowed: {', '.join(_API_VERSIONS)}")
    table = _table(problems, content.get("schema"))
    columns = _columns(problems, table)
    _check_roles(problems, columns)
    name = str(content.get("name") or content.get("dataProduct") or content.get("id") or "data")
    custom = custom_properties(problems, "customProperties", content.get("customProperties"), {"strata.model"})
    model = _model_name(problems, custom.get("strata.model"), name)
    freshness = _freshness(problems, content.get("slaProperties"))
    rules = parse_rules(problems, "schema[0].quality", table.get("quality"), None)
    problems.raise_if_any("see docs of the column roles in architecture.md, section 4")
    return DataContract(
        name=name,
        version=str(content["version"]),
        model=model,
        sha256=digest_bytes(data),
        table=str(table["name"]),
        columns=columns,
        freshness_hours=freshness,
        description=_purpose(content.get("description")),
        rules=rules,
    )


def slug(text: str) -> str:
    """A name in lower case with dashes: what a model or pipeline may be called."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _table(problems: Problems, schema: Any) -> dict[str, Any]:
    if not isinstance(schema, list) or not schema or not all(isinstance(entry, dict) for entry in schema):
        problems.add("schema", "has no object", "describe the table: a list with one object and its properties")
        return {}
    if len(schema) > 1:
        problems.add("schema", f"has {len(schema)} objects", "one contract describes one table")
    table: dict[str, Any] = schema[0]
    unknown_keys(problems, "schema[0]", table, _TABLE)
    if not table.get("name"):
        problems.add("schema[0].name", "missing", "name the table")
    return table


def _columns(problems: Problems, table: dict[str, Any]) -> tuple[Column, ...]:
    properties = table.get("properties")
    if not isinstance(properties, list) or not properties:
        if table:
            problems.add("schema[0].properties", "has no column", "describe every column")
        return ()
    parsed = [
        parse_column(problems, f"schema[0].properties[{number}]", entry) for number, entry in enumerate(properties)
    ]
    columns = tuple(column for column in parsed if column is not None)
    names = [column.name for column in columns]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"column {name}", f"is there {names.count(name)} times", "describe it once")
    return columns


def _check_roles(problems: Problems, columns: tuple[Column, ...]) -> None:
    if not columns:
        return
    by_role = {
        role: [column.name for column in columns if column.role == role]
        for role in ("target", "entity", "time", "feature")
    }
    if len(by_role["target"]) != 1:
        problems.add(
            "target",
            f"{len(by_role['target'])} columns have the role target {by_role['target']}",
            "give exactly one column strata.role: target",
        )
    for role in ("entity", "time"):
        if len(by_role[role]) > 1:
            problems.add(
                role,
                f"{len(by_role[role])} columns have the role {role} {by_role[role]}",
                "give at most one column this role",
            )
    if not by_role["feature"]:
        problems.add(
            "features",
            "no column is left for the model to read",
            "leave strata.role away from the columns a model may read",
        )
    for column in columns:
        if column.role == "time" and column.type not in ("date", "timestamp"):
            problems.add(
                f"column {column.name}", f"has the role time and the type {column.type}", "use date or timestamp"
            )
        if column.role == "target" and column.positive is None and column.type != "boolean":
            problems.add(f"column {column.name}", "has no strata.positive", "name the value that counts as 1")


def _model_name(problems: Problems, declared: Any, name: str) -> str:
    if declared is None:
        return slug(name)
    if not isinstance(declared, str) or slug(declared) != declared:
        problems.add("customProperties strata.model", f"is {declared!r}", "use lower-case letters, digits and dashes")
    return str(declared)


def _freshness(problems: Problems, properties: Any) -> float | None:
    if properties is None:
        return None
    if not isinstance(properties, list) or not all(isinstance(entry, dict) for entry in properties):
        problems.add("slaProperties", "is not a list of maps", "write - {property: freshness, value: 24, unit: h}")
        return None
    hours = None
    for number, entry in enumerate(properties):
        if entry.get("property") not in ("freshness", "latency"):
            continue
        value, unit = entry.get("value"), str(entry.get("unit", "h"))
        place = f"slaProperties[{number}]"
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            problems.add(f"{place}.value", f"is {value!r}", "write a number above 0")
        elif unit not in _HOURS:
            problems.add(f"{place}.unit", f"is {unit!r}", f"allowed: {', '.join(sorted(_HOURS))}")
        else:
            hours = min(hours or float("inf"), value * _HOURS[unit])
    return hours


def _purpose(description: Any) -> str:
    if isinstance(description, dict):
        return str(description.get("purpose") or description.get("usage") or "")
    return "" if description is None else str(description)
