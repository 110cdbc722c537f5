"""Stage 2 on one machine: the scheduler as a supervised process, each step of a run in a process of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi

from components._kit import contracts
from components._kit.arguments import Checks
from components._kit.placement import Placement
from components.pipelines import contract

ENGINE = "local"
DEFAULT_CLASSES: dict[str, contract.ComputeClassArgs] = {
    "small": {"cpu": 1.0, "memory_gib": 2.0},
    "large": {"cpu": 2.0, "memory_gib": 8.0},
}
CRON_FIELDS = 5
LARGEST_SIZE = 1024
FOLDERS = ("runs", "schedules", "sources")


@dataclass(frozen=True)
class _Settings:
    pipelines: list[dict[str, Any]]
    compute_classes: dict[str, dict[str, float]]


def _resolve(name: str, args: contract.PipelinesArgs) -> _Settings:
    checks = Checks("LocalPipelines", name)
    pipelines = [_complete(dict(entry)) for entry in checks.entries(args, "pipelines", ("name", "definition"))]
    for index, entry in enumerate(pipelines):
        path = str(entry["definition"])
        checks.that(
            Path(path).is_absolute(),
            f"pipelines[{index}].definition",
            path,
            "an absolute path",
            "resolve it against the repository",
        )
        cron = entry["schedule"]
        well_formed = cron is None or len(str(cron).split()) == CRON_FIELDS
        checks.that(
            well_formed,
            f"pipelines[{index}].schedule",
            cron,
            "a cron expression of five fields, in UTC",
            "for example `0 4 * * 1`",
        )
    classes = args.get("compute_classes") or DEFAULT_CLASSES
    sizes = {}
    for label, size in classes.items():
        for key in ("cpu", "memory_gib"):
            value = size.get(key)
            fits = isinstance(value, int | float) and 0 < value <= LARGEST_SIZE
            checks.that(
                fits,
                f"compute_classes.{label}.{key}",
                value,
                f"a number above 0, at most {LARGEST_SIZE}",
                "correct it in the record",
            )
        sizes[label] = {"cpu": size.get("cpu", 0.0), "memory_gib": size.get("memory_gib", 0.0)}
    checks.done()
    return _Settings(pipelines, sizes)


def _complete(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: entry.get(key) for key in ("name", "definition", "schedule", "approval_gate")}


class LocalPipelines(contract.Pipelines):
    """A scheduler that renders the schedules, runs what is due and answers to submissions."""

    def __init__(self, name: str, args: contract.PipelinesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Builds stage 2.

        Raises:
            pulumi.InputPropertiesError: if arguments are wrong; the message has every problem.
        """
        settings = _resolve(name, args)
        super().__init__("strata:index:LocalPipelines", name, cast(dict[str, Any], {**args}), opts)
        place = Placement(self, name, args["host"])
        folders = [place.directory(folder) for folder in FOLDERS]
        self.engine = pulumi.Output.from_input(ENGINE)
        self.submit_reference = place.url("scheduler", "/runs")
        self.catalog_uri = place.url("portal", "/catalog/")
        platform = place.platform_file(
            "pipelines",
            {
                "engine": ENGINE,
                "submit_reference": self.submit_reference,
                "pipelines": settings.pipelines,
                "compute_classes": settings.compute_classes,
                "catalog_uri": self.catalog_uri,
            },
        )
        command = place.mlstep(place.python, "scheduler", process="scheduler")
        place.process("scheduler", command, health="/healthz", reads=platform, depends_on=folders)
        self.compute_classes = pulumi.Output.from_input(settings.compute_classes)
        self.schedules = pulumi.Output.from_input(
            {entry["name"]: entry["schedule"] for entry in settings.pipelines if entry["schedule"]}
        )
        self.experiment_store = place.path("runs").apply(lambda path: f"file://{path}")
        self.platform_file = platform.path
        self.unavailable = pulumi.Output.from_input(cast(dict[str, str], {}))
        self.register_outputs(contracts.outputs(self, contract.Pipelines))
