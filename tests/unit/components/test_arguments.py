"""Bad arguments of a component are told all at once: component, argument, value, what is allowed, remedy."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components import catalog
from tests.unit.components.samples import SAMPLES

BAD: tuple[tuple[str, Mapping[str, Any], tuple[str, ...]], ...] = (
    ("foundation", {"workspace": "My Team"}, ("workspace", "'My Team'", "lower case letter", "rename it")),
    ("foundation", {"port_base": 80}, ("port_base", "80", "1024 to 65526", "default 25100")),
    ("foundation", {"port_base": 25100.5}, ("port_base", "25100.5", "a whole number")),
    ("foundation", {"data_dir": "relative"}, ("data_dir", "'relative'", "an absolute path")),
    ("foundation", {"data_dir": "/a b"}, ("data_dir", "'/a b'", "without the characters ' '")),
    ("foundation", {"data_dir": "/" + "x" * 90}, ("data_dir", "control socket", "fewer than 100 bytes")),
    (
        "foundation",
        {"signers": [{"name": "a", "role": "risk", "public_key": "abc"}]},
        ("signers[0].public_key", "32 raw"),
    ),
    ("foundation", {"signers": [{"name": "a", "role": "r"}, {"name": "a", "role": "s"}]}, ("signers", "named once")),
    ("governance", {"use_case": {"id": "x"}}, ("purpose", "risk_class", "owner", "deputy", "risk_approver")),
    ("governance", {"data": [{"name": "a", "contract": "a.yaml", "owner": "o"}]}, ("data[0].contract", "absolute")),
    ("governance", {"log_retention_days": 0}, ("log_retention_days", "1 to 36500", "default 183")),
    ("registry", {"default_model": ""}, ("default_model", "lower case letter")),
    ("registry", {"backend_store_url": "mysql://u:hunter22@h/d"}, ("backend_store_url", "postgresql://")),
    ("pipelines", {"pipelines": [{"name": "a"}]}, ("pipelines[0].definition", "non-empty")),
    ("pipelines", {"pipelines": [{"name": "a", "definition": "/d", "schedule": "daily"}]}, ("schedule", "five fields")),
    (
        "pipelines",
        {"compute_classes": {"small": {"cpu": 0, "memory_gib": 2}}},
        ("compute_classes.small.cpu", "above 0"),
    ),
    ("monitoring", {"signals": "signals.yaml"}, ("signals", "absolute path")),
    ("monitoring", {"interval_seconds": 0}, ("interval_seconds", "1 to 86400")),
    ("feature_store", {"guards": {"cool_down_hours": -1}}, ("cool_down_hours", "0 to 168")),
)


@pytest.mark.parametrize(("stage", "change", "told"), BAD)
def test_one_message_names_everything(stage: str, change: Mapping[str, Any], told: tuple[str, ...]) -> None:
    """Each bad argument is refused before any resource exists, in a message that a reader can act on."""
    component = catalog.component(stage, "local")
    with pytest.raises(pulumi.InputPropertiesError) as caught:
        component(stage, {**SAMPLES[stage], **change})  # type: ignore[arg-type]
    for part in (component.__name__, *told):
        assert part in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_several_problems_are_one_message() -> None:
    """Three bad arguments give one error with three entries."""
    change = {"workspace": "X", "port_base": 1, "data_dir": "relative"}
    with pytest.raises(pulumi.InputPropertiesError) as caught:
        catalog.component("foundation", "local")("f", {**SAMPLES["foundation"], **change})  # type: ignore[arg-type]
    assert [entry["property_path"] for entry in caught.value.errors or []] == ["workspace", "data_dir", "port_base"]
