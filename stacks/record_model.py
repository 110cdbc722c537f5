"""The shape of a record: every key a team may write, with its meaning, unit and range.

The JSON Schema that editors use is generated from this file (`python -m stacks.record --write-schema`).
Rules between keys, and rules that look at the file system, are in `record_rules.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SLUG = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
PERSON = r"^[^@\s<>\"']+@[^@\s<>\"']+\.[^@\s<>\"']+$"
ALERT_ROUTE = r"^(owner|deputy|[^@\s<>\"']+@[^@\s<>\"']+\.[^@\s<>\"']+)$"
SIGNER_KEY = r"^(demo|ed25519:[A-Za-z0-9+/]{43}=)$"

Stage = Annotated[int, Field(ge=1, le=4)]
Target = Literal["azure", "gcp", "kubernetes", "local"]
EnvironmentName = Literal["dev", "test", "prod"]
Slug = Annotated[str, Field(pattern=SLUG, max_length=40, examples=["credit-scoring"])]
Person = Annotated[str, Field(pattern=PERSON, max_length=254, examples=["o.lind@bank.example"])]
WORKSPACE_NAME = Annotated[str, Field(pattern=SLUG, min_length=2, max_length=20, examples=["credit"])]


class Section(BaseModel):
    """A part of the record: unknown keys and wrong types are errors, and nothing can be changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class UseCase(Section):
    """The AI system that this workspace serves, and the people who answer for it."""

    id: Slug
    """Short name of the use case; it is a tag on every resource."""
    purpose: Annotated[str, Field(min_length=20, max_length=500)]
    """What the system decides or helps to decide, in one sentence a customer would understand."""
    risk_class: Literal["high", "limited", "minimal"]
    """Class under the EU AI Act: high, limited or minimal. A prohibited system has no workspace."""
    owner: Person
    """Who answers for the system; alerts go here."""
    deputy: Person
    """Who stands in for the owner; somebody else than the owner."""
    risk_approver: Person
    """Who approves models on behalf of the second line; never the owner."""


class Signer(Section):
    """A person who may sign the promotion of a model."""

    name: Person
    """The person, as written under use_case."""
    role: Slug
    """What the person signs as; a pipeline's approval_gate names a role."""
    key: Annotated[str, Field(pattern=SIGNER_KEY)]
    """Public key, `ed25519:<base64 of 32 bytes>`; or `demo` (target local only): the platform makes the pair."""


class DataSet(Section):
    """One source of rows, with its contract and the person who answers for it."""

    name: Slug
    """Name of the data set in catalogue, traces and reports."""
    contract: Annotated[str, Field(min_length=1)]
    """ODCS contract, a path from the repository's folder."""
    source: Annotated[str, Field(min_length=1)]
    """CSV or Parquet file (path from the repository's folder), or `synthetic:credit?rows=…&seed=…`."""
    owner: Person
    """Who answers for the quality of the data."""
    freshness_hours: Annotated[int, Field(ge=1, le=24 * 366)] = 24
    """Oldest allowed age of the newest row, in hours."""


class Pipeline(Section):
    """One pipeline definition, when it runs and who must approve what it produces."""

    name: Slug
    """Name of the pipeline; `strata run NAME` starts it."""
    definition: Annotated[str, Field(min_length=1)]
    """pipeline.yaml, a path from the repository's folder."""
    schedule: str | None = None
    """Cron expression of five fields, UTC; null: only by hand, by event or by alert."""
    approval_gate: Slug | None = None
    """Role of a signer without whose signature nothing is promoted; required from stage 2 on."""


class Monitoring(Section):
    """What is kept, how often it is looked at, and who is told."""

    log_retention_days: Annotated[int, Field(ge=1, le=3660)] = 365
    """How long predictions and logs are kept, in days."""
    interval_seconds: Annotated[int, Field(ge=5, le=86400)] = 60
    """Time between two evaluations of the signals, in seconds."""
    alert_route: Annotated[str, Field(pattern=ALERT_ROUTE)] | None = "owner"
    """Who receives alerts: `owner`, `deputy` or an address. null tells nobody, which policy refuses at stage 3."""
    alerting: Literal["builtin", "prometheus"] = "builtin"
    """Who turns signals into alerts. prometheus: a Prometheus and an Alertmanager, both installed on the machine."""


class Retraining(Section):
    """Guards around retraining that an alert starts."""

    cool_down_hours: Annotated[int, Field(ge=0, le=24 * 90)] = 24
    """Least time between two retrainings started by alerts, in hours."""
    maximum_runs_per_week: Annotated[int, Field(ge=0, le=50)] = 3
    """Most retrainings that alerts may start in seven days; 0 switches them off."""


class Ports(Section):
    """Where the processes of one environment listen."""

    base: Annotated[int, Field(ge=1024, le=65526)] = 25100
    """First of ten consecutive TCP ports on 127.0.0.1."""


class Local(Section):
    """Settings of an environment on one machine."""

    ports: Ports = Ports()
    """Where the processes listen."""
    data_dir: str | None = None
    """Folder of all data, absolute or starting with ~; null: ~/.local/share/strata/<workspace>-<environment>."""
    tracking_database: Literal["sqlite", "postgresql"] = "sqlite"
    """Database of the tracking server. postgresql: its URL is the stack's secret setting `tracking_database_url`."""


class Environment(Section):
    """One environment: what differs from the workspace as a whole."""

    stage: Stage | None = None
    """Stage of this environment when it lags behind the workspace; it never leads dev."""
    local: Local | None = None
    """Settings for target local."""


class RecordFile(Section):
    """Everything a team chooses: one record per workspace, the only file a new team writes."""

    model_config = ConfigDict(title="Strata record")

    workspace: WORKSPACE_NAME
    """Name of the workspace, and of this file."""
    target: Target
    """Where the platform is built."""
    stage: Stage
    """1 registry, 2 pipelines, 3 monitoring, 4 feature store; each includes the ones before."""
    use_case: UseCase
    """The AI system that this workspace serves."""
    signers: Annotated[tuple[Signer, ...], Field(min_length=1, strict=False)]
    """People who may sign the promotion of a model."""
    data: Annotated[tuple[DataSet, ...], Field(strict=False)] = ()
    """Data sets; at least one from stage 2 on."""
    pipelines: Annotated[tuple[Pipeline, ...], Field(strict=False)] = ()
    """Pipelines; at least one from stage 2 on."""
    monitoring: Monitoring = Monitoring()
    """Logs, signals and alerts; used from stage 3 on, retention from stage 1 on."""
    retraining: Retraining = Retraining()
    """Guards around retraining; used at stage 4."""
    environments: Annotated[dict[EnvironmentName, Environment], Field(min_length=1)]
    """The environments of the workspace; the Pulumi stack of one is `<workspace>-<environment>`."""
