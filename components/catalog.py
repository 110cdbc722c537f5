"""Which class builds a stage on a target. Importing this module loads no provider SDK and no component."""

import importlib
from collections.abc import Mapping

import pulumi

STAGES = ("foundation", "governance", "registry", "pipelines", "monitoring", "feature_store")
"""In the order in which they are built. The first two belong to every stage number."""

NUMBERED = {"registry": 1, "pipelines": 2, "monitoring": 3, "feature_store": 4}
"""From which stage number of the record on a stage is built."""

CLASSES: Mapping[tuple[str, str], str] = {
    ("foundation", "local"): "components.foundation.local:LocalFoundation",
    ("governance", "local"): "components.governance.local:LocalGovernance",
    ("registry", "local"): "components.registry.local:LocalModelRegistry",
    ("pipelines", "local"): "components.pipelines.local:LocalPipelines",
    ("monitoring", "local"): "components.monitoring.local:LocalMonitoring",
    ("feature_store", "local"): "components.feature_store.local:LocalFeatureStore",
}


def targets() -> tuple[str, ...]:
    """Targets for which every stage has a class."""
    found = sorted({target for _, target in CLASSES})
    return tuple(target for target in found if all((stage, target) in CLASSES for stage in STAGES))


def stages_up_to(number: int) -> tuple[str, ...]:
    """Stages that a record with this stage number has, in building order.

    Raises:
        ValueError: if the number is not 1 to 4.
    """
    if number not in NUMBERED.values():
        raise ValueError(f"stage must be one of {sorted(NUMBERED.values())} (got {number})")
    return tuple(stage for stage in STAGES if NUMBERED.get(stage, 0) <= number)


def component(stage: str, target: str) -> type[pulumi.ComponentResource]:
    """Class that builds the stage on the target; its module is imported now.

    Raises:
        LookupError: if there is no such stage, or the target cannot build it.
    """
    try:
        path = CLASSES[stage, target]
    except KeyError:
        built = sorted(f"{known_stage} on {known_target}" for known_stage, known_target in CLASSES)
        raise LookupError(
            f"no component builds stage {stage!r} on target {target!r}; there are: {', '.join(built)}"
        ) from None
    module, _, name = path.partition(":")
    found: type[pulumi.ComponentResource] = getattr(importlib.import_module(module), name)
    return found
