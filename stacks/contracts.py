"""The little that the infrastructure plane reads in a data contract (ODCS YAML): which model it is for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from stacks.yaml_source import read


def model_name(contract: Path) -> str:
    """Return the name of the model a data contract is for: `strata.model`, else the contract's name as a slug.

    Raises:
        SourceError: the contract is not one YAML mapping.
        ValueError: the contract has neither.
    """
    content = read(contract).data
    for entry in _entries(content.get("customProperties")):
        if entry.get("property") == "strata.model" and entry.get("value"):
            return str(entry["value"])
    slug = re.sub(r"[^a-z0-9]+", "-", str(content.get("name") or "").lower()).strip("-")
    if not slug:
        raise ValueError(f"{contract}: neither a name nor a custom property strata.model; add `name: …`")
    return slug


def _entries(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
