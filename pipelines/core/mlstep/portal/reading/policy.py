"""The policy pack's last report, if one was left for the portal: `<root>/site/policy.json`."""

from pathlib import Path
from typing import Any

from mlstep.canonical import read_json

SCHEMA = "strata-policy-report/1"


def read(root: Path) -> dict[str, Any] | None:
    """The report; None while there is none, or one of another schema."""
    path = root / "site" / "policy.json"
    if not path.is_file():
        return None
    content: dict[str, Any] = read_json(path)
    return content if content.get("schema") == SCHEMA else None
