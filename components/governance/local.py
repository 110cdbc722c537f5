"""Governance on one machine: the use case as a resource and as a file that the run-time plane enforces."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi

from components._kit import contracts
from components._kit.arguments import Checks
from components._kit.placement import Placement
from components.governance import contract

RETENTION_DAYS = 183
PEOPLE = ("owner", "deputy", "risk_approver")


@dataclass(frozen=True)
class _Settings:
    use_case: dict[str, str]
    data: list[dict[str, Any]]
    log_retention_days: int


def _resolve(name: str, args: contract.GovernanceArgs) -> _Settings:
    checks = Checks("LocalGovernance", name)
    given = args["use_case"]
    use_case = {key: checks.text(given, key) for key in ("id", "purpose", "risk_class", *PEOPLE)}
    data = [dict(entry) for entry in checks.entries(args, "data", ("name", "contract", "owner"))]
    for index, entry in enumerate(data):
        path = str(entry.get("contract"))
        checks.that(
            Path(path).is_absolute(),
            f"data[{index}].contract",
            path,
            "an absolute path",
            "resolve it against the repository",
        )
    days = checks.whole(args, "log_retention_days", RETENTION_DAYS, 1, 36500)
    checks.done()
    return _Settings(use_case, [_complete(entry) for entry in data], days)


def _complete(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: entry.get(key) for key in ("name", "contract", "source", "owner", "freshness_hours")}


class LocalGovernance(contract.Governance):
    """The declared use case; which of its values are allowed is the policy pack's business, not the component's."""

    def __init__(self, name: str, args: contract.GovernanceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Writes the use case down.

        Raises:
            pulumi.InputPropertiesError: if arguments are wrong; the message has every problem.
        """
        settings = _resolve(name, args)
        super().__init__("strata:index:LocalGovernance", name, cast(dict[str, Any], {**args}), opts)
        platform = Placement(self, name, args["host"]).platform_file(
            "governance",
            {"use_case": settings.use_case, "data": settings.data, "log_retention_days": settings.log_retention_days},
        )
        self.use_case = pulumi.Output.from_input(settings.use_case)
        self.risk_class = pulumi.Output.from_input(settings.use_case["risk_class"])
        self.log_retention_days = pulumi.Output.from_input(settings.log_retention_days)
        self.platform_file = platform.path
        self.unavailable = pulumi.Output.from_input(cast(dict[str, str], {}))
        self.register_outputs(contracts.outputs(self, contract.Governance))
