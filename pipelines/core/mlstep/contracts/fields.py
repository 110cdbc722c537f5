"""The standard's `customProperties`, as a map."""

from typing import Any

from mlstep.problems import Problems


def custom_properties(problems: Problems, place: str, entries: Any, known: set[str]) -> dict[str, Any]:
    """`customProperties` as a map; a `strata.` property outside `known` is a problem, others belong to other tools."""
    if entries is None:
        return {}
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "property" in entry for entry in entries):
        problems.add(place, "is not a list of {property, value}", "write - {property: strata.role, value: target}")
        return {}
    found: dict[str, Any] = {}
    for entry in entries:
        name = str(entry["property"])
        if name.startswith("strata.") and name not in known:
            problems.add(f"{place} {name}", "not known here", f"allowed: {', '.join(sorted(known))}")
        if name in found:
            problems.add(f"{place} {name}", "is there twice", "keep one")
        found[name] = entry.get("value")
    return found
