"""Cases made of the compliant stack and a few changes, as the files below `fixtures/` describe them."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FIXTURES = Path(__file__).parent / "fixtures"
GROUPS = ("good", "bad", "absent", "unknown", "not_applicable")
VERDICTS = {
    "good": "pass",
    "bad": "fail",
    "absent": "fail",
    "unknown": "undetermined",
    "not_applicable": "not applicable",
}
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@dataclass(frozen=True)
class Case:
    """One stack to judge, and what is expected of one control."""

    control: str
    name: str
    verdict: str
    stack: str
    preview: bool
    resources: tuple[Mapping[str, Any], ...]
    says: str
    hides: str
    level: str
    also: frozenset[str]

    def urn(self, resource: Mapping[str, Any]) -> str:
        """URN of a resource in this stack."""
        return f"urn:pulumi:{self.stack}::strata::{resource['type']}::{resource['name']}"


def fixture(control: str) -> dict[str, Any]:
    """The fixture file of a control."""
    content: dict[str, Any] = yaml.safe_load((FIXTURES / f"{control}.yaml").read_text(encoding="utf-8"))
    return content


def cases() -> Iterator[Case]:
    """Every case of every fixture file."""
    for path in sorted(FIXTURES.glob("*-*.yaml")):
        content = fixture(path.stem)
        for group in GROUPS:
            for entry in content[group]:
                yield case(path.stem, entry, VERDICTS[group])


def mutations() -> list[dict[str, Any]]:
    """Every mutation of the compliant stack, with the controls that must fire."""
    content: list[dict[str, Any]] = yaml.safe_load((FIXTURES / "mutations.yaml").read_text(encoding="utf-8"))
    return content


@cache
def _compliant() -> Any:
    """The compliant stack, read once; nobody may change it."""
    return yaml.safe_load((FIXTURES / "compliant.yaml").read_text(encoding="utf-8"))


def case(control: str, entry: Mapping[str, Any], verdict: str = "pass") -> Case:
    """The compliant stack with the changes of an entry."""
    base = _compliant()
    # Aliases in YAML are one object; a change of one resource's tags must not change those of the others.
    resources = {entry["name"]: copy.deepcopy(entry) for entry in base["resources"]}
    if entry.get("environment"):
        for resource in resources.values():
            if "tags" in resource.get("inputs", {}):
                resource["inputs"]["tags"]["environment"] = entry["environment"]
        resources["foundation"]["inputs"]["environment"] = entry["environment"]
    _apply(resources, entry)
    return Case(
        control=control,
        name=entry.get("name", ""),
        verdict=entry.get("verdict", verdict),
        stack=entry.get("stack", base["stack"]),
        preview=bool(entry.get("preview")),
        resources=tuple(_encoded(resource) for resource in resources.values()),
        says=entry.get("says", ""),
        hides=entry.get("hides", ""),
        level=entry.get("level", "mandatory"),
        also=frozenset(entry.get("also", ())),
    )


def _apply(resources: dict[str, Any], entry: Mapping[str, Any]) -> None:
    for name in set(resources) - set(entry.get("only", resources)) | set(entry.get("drop", ())):
        del resources[name]
    for path in entry.get("remove", ()):
        holder, key = _holder(resources, path)
        del holder[key]
    for path, value in entry.get("set", {}).items():
        holder, key = _holder(resources, path)
        holder[key] = value
    for path in entry.get("unknown", ()):
        holder, key = _holder(resources, path)
        holder[key] = UNKNOWN
    for name, token in entry.get("retype", {}).items():
        resources[name]["type"] = token
    for name, new in entry.get("copy", {}).items():
        resources[new] = {**copy.deepcopy(resources[name]), "name": new}
    for resource in entry.get("add", ()):
        resources[resource["name"]] = resource


def _holder(resources: dict[str, Any], path: str) -> tuple[Any, Any]:
    """The container of the value at a path, and its key there."""
    *parts, last = path.split(".")
    holder: Any = resources
    for part in parts:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    return (holder, int(last)) if isinstance(holder, list) else (holder, last)


def _encoded(value: Any) -> Any:
    """The value as the engine sends it: `{secret: …}` becomes a marked secret."""
    if isinstance(value, dict) and set(value) == {"secret"}:
        return {SIGNATURE: SECRET, "value": _encoded(value["secret"])}
    if isinstance(value, dict):
        return {key: _encoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    return value
