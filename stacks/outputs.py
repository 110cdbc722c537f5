"""What a stack exports: one object per stage and `contract_version`; and the typed reader for other stacks.

Everything exported is a reference (an address, a path, a name), never a secret value: a stack reference is secret as a
whole as soon as one part of it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pulumi

CONTRACT_VERSION = 1
"""Raised when a field is removed or changes its meaning; a new field does not raise it."""


class ContractError(Exception):
    """The outputs of a stack are not what this version can read; the text lists every difference."""


@dataclass(frozen=True)
class FoundationOutputs:
    """Folders or networks, identities and keys."""

    region: str
    network_mode: str
    identities: Mapping[str, Mapping[str, str]]
    key_reference: str | None
    secret_store: str
    log_sink: str
    signers: Sequence[Mapping[str, Any]]
    platform_file: str
    unavailable: Mapping[str, str]


@dataclass(frozen=True)
class GovernanceOutputs:
    """The declared use case."""

    use_case: Mapping[str, Any]
    risk_class: str
    log_retention_days: int
    platform_file: str
    unavailable: Mapping[str, str]


@dataclass(frozen=True)
class RegistryOutputs:
    """Stage 1: models and the service that answers."""

    tracking_uri: str
    artifact_store_uri: str
    image_registry: str | None
    ci_identity: str | None
    prediction_service: str
    portal_uri: str
    platform_file: str
    unavailable: Mapping[str, str]


@dataclass(frozen=True)
class PipelinesOutputs:
    """Stage 2: the engine and what runs on it."""

    engine: str
    submit_reference: str
    compute_classes: Mapping[str, Mapping[str, float]]
    schedules: Mapping[str, str]
    experiment_store: str
    catalog_uri: str
    platform_file: str
    unavailable: Mapping[str, str]


@dataclass(frozen=True)
class MonitoringOutputs:
    """Stage 3: prediction log, truth, alerts."""

    prediction_log_uri: str
    truth_uri: str
    challenger_service: str
    alert_route: Mapping[str, str]
    dashboard_uri: str
    platform_file: str
    unavailable: Mapping[str, str]


@dataclass(frozen=True)
class FeatureStoreOutputs:
    """Stage 4: features and the retraining trigger."""

    offline_uri: str
    online_uri: str
    feature_registry_uri: str
    feature_server: str
    retrain_trigger: str
    platform_file: str
    unavailable: Mapping[str, str]


STAGE_OUTPUTS: Mapping[str, type[Any]] = {
    "foundation": FoundationOutputs,
    "governance": GovernanceOutputs,
    "registry": RegistryOutputs,
    "pipelines": PipelinesOutputs,
    "monitoring": MonitoringOutputs,
    "feature_store": FeatureStoreOutputs,
}


def export(built: Mapping[str, Any]) -> None:
    """Export one object per built stage, and the version of the contract."""
    import pulumi

    for stage, component in built.items():
        pulumi.export(stage, {name: getattr(component, name) for name in field_names(stage)})
    pulumi.export("contract_version", CONTRACT_VERSION)


def field_names(stage: str) -> tuple[str, ...]:
    """Return the names of the fields that a stage exports."""
    return tuple(field.name for field in dataclasses.fields(STAGE_OUTPUTS[stage]))


@dataclass(frozen=True)
class Platform:
    """A stack's outputs, typed. A stage that the stack has not reached is None."""

    foundation: FoundationOutputs
    governance: GovernanceOutputs
    registry: RegistryOutputs
    pipelines: PipelinesOutputs | None = None
    monitoring: MonitoringOutputs | None = None
    feature_store: FeatureStoreOutputs | None = None

    @staticmethod
    def from_stack_reference(reference: pulumi.StackReference) -> pulumi.Output[Platform]:
        """Return another stack's platform; a wrong contract fails the deployment with a ContractError."""
        return reference.outputs.apply(read)

    @property
    def stage(self) -> int:
        """The stage the stack has reached, 1 to 4."""
        later = (self.pipelines, self.monitoring, self.feature_store)
        return 1 + sum(part is not None for part in later)


def read(values: Mapping[str, Any]) -> Platform:
    """Return the typed form of a stack's outputs.

    Raises:
        ContractError: another contract version, or a missing stage or field; everything that differs is named.
    """
    version = values.get("contract_version")
    # Numbers travel through the engine as floating point.
    if version is None or int(version) != CONTRACT_VERSION:
        found = "no contract_version" if version is None else f"contract_version {int(version)}"
        raise ContractError(f"{found}, expected {CONTRACT_VERSION}; run `strata up` there with this version of Strata")
    problems = [f"{stage} is missing" for stage in ("foundation", "governance", "registry") if stage not in values]
    stages: dict[str, Any] = {}
    for stage, kind in STAGE_OUTPUTS.items():
        if stage not in values:
            continue
        content = values[stage]
        missing = [name for name in field_names(stage) if name not in content]
        problems += [f"{stage}.{name} is missing" for name in missing]
        if not missing:
            # A field added by a newer version is not ours to judge.
            stages[stage] = kind(**{name: content[name] for name in field_names(stage)})
    if problems:
        raise ContractError("outputs do not keep the contract: " + ", ".join(problems))
    return Platform(**stages)
