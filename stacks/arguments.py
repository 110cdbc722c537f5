"""What each stage is told: exactly its own arguments, made from the record, plus the contracts of earlier stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from stacks.contracts import model_name
from stacks.record import Record, secret_setting

if TYPE_CHECKING:
    import pulumi

    from components.feature_store.contract import FeatureStoreArgs
    from components.foundation.contract import LocalFoundationArgs, SignerArgs
    from components.governance.contract import DataArgs, GovernanceArgs
    from components.monitoring.contract import MonitoringArgs
    from components.pipelines.contract import PipelinesArgs
    from components.registry.contract import LocalModelRegistryArgs

Built = Mapping[str, "pulumi.ComponentResource"]
"""Stages built so far, by name."""

SIGNALS = "pipelines/signals.yaml"
"""Metrics, thresholds, windows and routes; data that both planes read."""


def for_stage(stage: str, record: Record, built: Built) -> Mapping[str, Any]:
    """Return the arguments of one stage.

    Raises:
        KeyError: there is no such stage, or a stage it stands on was not built before it.
    """
    return _BUILDERS[stage](record, built)


def tags(record: Record) -> dict[str, str]:
    """Return the tags of every resource: who answers for it, and for which use case."""
    use_case = record.file.use_case
    return {
        "environment": record.environment,
        "managed-by": "strata",
        "owner": use_case.owner,
        "risk-class": use_case.risk_class,
        "use-case": use_case.id,
        "workspace": record.file.workspace,
    }


def alert_owner(record: Record) -> str:
    """Return the address that receives alerts; empty when the record names nobody, which policy refuses."""
    route = record.file.monitoring.alert_route
    people = {"owner": record.file.use_case.owner, "deputy": record.file.use_case.deputy}
    return people.get(route, route) if route else ""


def default_model(record: Record) -> str:
    """Return the model that the prediction service answers with: the one the first data contract is about."""
    if not record.file.data:
        return record.file.use_case.id
    return model_name(record.absolute(record.file.data[0].contract))


def _foundation(record: Record, built: Built) -> LocalFoundationArgs:
    signers: list[SignerArgs] = []
    for signer in record.file.signers:
        public_key = None if signer.key == "demo" else signer.key.removeprefix("ed25519:")
        signers.append({"name": signer.name, "role": signer.role, "public_key": public_key})
    return {
        "workspace": record.file.workspace,
        "environment": record.environment,
        "signers": signers,
        "tags": tags(record),
        "data_dir": str(record.root),
        "port_base": record.local.ports.base,
    }


def _governance(record: Record, built: Built) -> GovernanceArgs:
    use_case = record.file.use_case
    data: list[DataArgs] = []
    for entry in record.file.data:
        synthetic = entry.source.startswith("synthetic:")
        data.append(
            {
                "name": entry.name,
                "contract": str(record.absolute(entry.contract)),
                "source": entry.source if synthetic else str(record.absolute(entry.source)),
                "owner": entry.owner,
                "freshness_hours": entry.freshness_hours,
            }
        )
    return {
        "host": _host(built),
        "use_case": {
            "id": use_case.id,
            "purpose": use_case.purpose,
            "risk_class": use_case.risk_class,
            "owner": use_case.owner,
            "deputy": use_case.deputy,
            "risk_approver": use_case.risk_approver,
        },
        "data": data,
        "log_retention_days": record.file.monitoring.log_retention_days,
        "tags": tags(record),
    }


def _registry(record: Record, built: Built) -> LocalModelRegistryArgs:
    arguments: LocalModelRegistryArgs = {
        "host": _host(built),
        "default_model": default_model(record),
        "tags": tags(record),
    }
    if record.local.tracking_database == "postgresql":
        arguments["backend_store_url"] = secret_setting("tracking_database_url")
    return arguments


def _pipelines(record: Record, built: Built) -> PipelinesArgs:
    return {
        "host": _host(built),
        "pipelines": [
            {
                "name": pipeline.name,
                "definition": str(record.absolute(pipeline.definition)),
                "schedule": pipeline.schedule,
                "approval_gate": pipeline.approval_gate or "",
            }
            for pipeline in record.file.pipelines
        ],
        "tags": tags(record),
    }


def _monitoring(record: Record, built: Built) -> MonitoringArgs:
    arguments: MonitoringArgs = {
        "host": _host(built),
        "signals": str(record.absolute(SIGNALS)),
        "alert_owner": alert_owner(record),
        "interval_seconds": record.file.monitoring.interval_seconds,
        "log_retention_days": record.file.monitoring.log_retention_days,
        "tags": tags(record),
    }
    if record.file.monitoring.alerting != "builtin":  # a stack that keeps the default sees no new argument
        arguments["alerting"] = record.file.monitoring.alerting
    return arguments


def _feature_store(record: Record, built: Built) -> FeatureStoreArgs:
    return {
        "host": _host(built),
        "guards": {
            "cool_down_hours": record.file.retraining.cool_down_hours,
            "maximum_runs_per_week": record.file.retraining.maximum_runs_per_week,
        },
        "tags": tags(record),
    }


def _host(built: Built) -> Any:
    """Return what the foundation hands to later stages of the same target."""
    return built["foundation"].host  # type: ignore[attr-defined]


_BUILDERS: Mapping[str, Callable[[Record, Built], Mapping[str, Any]]] = {
    "foundation": _foundation,
    "governance": _governance,
    "registry": _registry,
    "pipelines": _pipelines,
    "monitoring": _monitoring,
    "feature_store": _feature_store,
}
