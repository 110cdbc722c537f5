"""The components as others meet them: their schema, their documentation, what importing the catalogue costs."""

import functools
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.provider.experimental.component import ComponentProvider

from components import catalog
from components._kit import contracts

GOLDEN = Path(__file__).with_name("components.schema.json")
REGENERATE = "STRATA_WRITE_GOLDEN=1 .strata/envs/dev/bin/pytest tests/contract/test_components.py"


@functools.cache
def _schema() -> dict[str, Any]:
    classes = [catalog.component(stage, target) for target in catalog.targets() for stage in catalog.STAGES]
    text = ComponentProvider(classes, "strata").schema
    assert text is not None
    schema: dict[str, Any] = json.loads(text)
    return {key: schema[key] for key in ("resources", "types")}


def test_schema_is_the_committed_one() -> None:
    """A change of an argument or an output shows in a diff of one file, and is therefore meant."""
    text = json.dumps(_schema(), indent=1, sort_keys=True) + "\n"
    if "STRATA_WRITE_GOLDEN" in os.environ:
        GOLDEN.write_text(text, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == text, f"if the change is meant: {REGENERATE}"


@pytest.mark.parametrize("stage", catalog.STAGES)
def test_targets_promise_the_same(stage: str) -> None:
    """Switching the target changes no output: each target's class has exactly the outputs of the stage's contract."""
    resources = _schema()["resources"]
    for target in catalog.targets():
        component = catalog.component(stage, target)
        base: type[pulumi.ComponentResource] = component.__mro__[1]
        assert base.__module__ == f"components.{stage}.contract"
        found = set(resources[f"strata:index:{component.__name__}"]["properties"])
        assert {name.lower() for name in found} == {name.replace("_", "") for name in contracts.promised(base)}


@pytest.mark.parametrize("stage", catalog.STAGES)
def test_every_output_is_documented(stage: str) -> None:
    """Each output and each component says in one sentence what it is."""
    component = catalog.component(stage, "local")
    assert inspect.getdoc(component)
    properties = _schema()["resources"][f"strata:index:{component.__name__}"]["properties"]
    source = inspect.getsource(component.__mro__[1])
    for name in contracts.promised(component.__mro__[1]):
        after = source.partition(f"    {name}: ")[2].splitlines()[1].strip()
        assert after.startswith('"""'), f"{stage}.{name} has no docstring"
    assert properties


def test_catalogue_loads_no_component_and_no_cloud_sdk() -> None:
    """Importing the catalogue imports neither a stage nor any provider's SDK."""
    program = "import json, sys; from components import catalog; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    heavy = ("pulumi_azure", "pulumi_gcp", "pulumi_kubernetes", "mlflow", "sklearn", "polars", "components.")
    assert [name for name in loaded if name.startswith(heavy) and name != "components.catalog"] == []


def test_unknown_stage_or_target_is_told() -> None:
    """A stage or target that nobody builds is an error that lists what there is."""
    with pytest.raises(LookupError, match=r"no component builds stage 'registry' on target 'moon'; there are: .*local"):
        catalog.component("registry", "moon")
    with pytest.raises(ValueError, match=r"one of \[1, 2, 3, 4\] \(got 5\)"):
        catalog.stages_up_to(5)


def test_stages_are_cumulative() -> None:
    """Each stage number has everything of the one below, in the same order, and more."""
    for number in (1, 2, 3):
        lower, higher = catalog.stages_up_to(number), catalog.stages_up_to(number + 1)
        assert higher[: len(lower)] == lower
        assert len(higher) == len(lower) + 1
