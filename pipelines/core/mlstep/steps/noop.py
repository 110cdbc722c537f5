"""A step that does nothing: it measures what an engine costs."""

from typing import ClassVar

from mlstep.step import Context, NoConfig, StepResult


class Noop:
    """Pass without reading or writing anything."""

    name: ClassVar[str] = "noop"
    config_type: ClassVar[type] = NoConfig
    inputs: ClassVar[tuple[str, ...]] = ()
    optional_inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ()

    def run(self, ctx: Context[NoConfig]) -> StepResult:
        """Pass."""
        return StepResult("pass")
