"""The Pulumi program: the record says what, the catalogue says which class, each stage gets its own arguments."""

from __future__ import annotations

import pulumi

from components import catalog
from stacks import arguments, outputs, record


def build(chosen: record.Record) -> dict[str, pulumi.ComponentResource]:
    """Build every stage that the record has, in order, and return them by name."""
    built: dict[str, pulumi.ComponentResource] = {}
    # In production nothing that holds data may be deleted by accident, and every stage holds some.
    protect = chosen.environment == "prod"
    for stage in catalog.stages_up_to(chosen.stage):
        component = catalog.component(stage, chosen.file.target)
        name = stage.replace("_", "-")
        args = arguments.for_stage(stage, chosen, built)
        built[stage] = component(name, args, pulumi.ResourceOptions(protect=protect))  # type: ignore[arg-type]
    return built


def main() -> None:
    """Read the record of this stack, build its stages, export their contracts."""
    try:
        chosen = record.load(pulumi.get_stack())
    except record.RecordError as error:
        raise pulumi.RunError(str(error)) from None
    outputs.export(build(chosen))


if __name__ == "__main__":
    main()
