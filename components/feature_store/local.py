"""Stage 4 on one machine: Feast in its own environment, and the guards of the retraining trigger."""

from typing import Any, cast

import pulumi

from components._kit import contracts
from components._kit.arguments import Checks
from components._kit.environment import Environment
from components._kit.placement import Placement
from components.feature_store import contract

COOL_DOWN_HOURS = 24.0
RUNS_PER_WEEK = 2
WEEK_HOURS = 168.0
START_SECONDS = 180.0
"""Feast imports for some 5 seconds on an idle machine, and registers features before it serves."""


def _resolve(name: str, args: contract.FeatureStoreArgs) -> dict[str, float]:
    checks = Checks("LocalFeatureStore", name)
    guards = args.get("guards") or {}
    cool_down = checks.number(guards, "cool_down_hours", COOL_DOWN_HOURS, 0.0, WEEK_HOURS)
    runs = checks.whole(guards, "maximum_runs_per_week", RUNS_PER_WEEK, 1, 168)
    checks.done()
    return {"cool_down_hours": cool_down, "maximum_runs_per_week": runs}


class LocalFeatureStore(contract.FeatureStore):
    """One Feast server over Parquet and sqlite."""

    def __init__(self, name: str, args: contract.FeatureStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Builds stage 4.

        Raises:
            pulumi.InputPropertiesError: if arguments are wrong; the message has every problem.
        """
        guards = _resolve(name, args)
        super().__init__("strata:index:LocalFeatureStore", name, cast(dict[str, Any], {**args}), opts)
        place = Placement(self, name, args["host"])
        # Of its own: what Feast pins does not go together with what MLflow pins.
        environment = Environment(f"{name}-environment", name="features", opts=place.options())
        folder = place.directory("features")
        self.offline_uri = folder.path.apply(lambda path: f"file://{path}/offline")
        self.online_uri = folder.path.apply(lambda path: f"sqlite:///{path}/online.db")
        self.feature_registry_uri = folder.path.apply(lambda path: f"file://{path}/registry.db")
        self.feature_server = place.url("features")
        self.retrain_trigger = place.url("receiver", "/retrain")
        platform = place.platform_file(
            "feature_store",
            {
                "offline_uri": self.offline_uri,
                "online_uri": self.online_uri,
                "feature_registry_uri": self.feature_registry_uri,
                "feature_server": self.feature_server,
                "retrain_trigger": self.retrain_trigger,
                "guards": guards,
                "materialize_command": [
                    place.program(environment.python),
                    "features",
                    "materialize",
                    "--root",
                    place.root,
                ],
            },
        )
        place.process(
            "features",
            place.mlstep(environment.python, "features", "serve", process="features"),
            health="/health",
            reads=platform,
            depends_on=[folder],
            health_timeout_seconds=START_SECONDS,
            python=environment.python,
        )
        self.platform_file = platform.path
        self.unavailable = pulumi.Output.from_input(cast(dict[str, str], {}))
        self.register_outputs(contracts.outputs(self, contract.FeatureStore))
