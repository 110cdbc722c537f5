"""A data contract as the steps see it: frozen, checked, nothing left to guess."""

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["feature", "entity", "time", "target", "group", "ignored"]
LogicalType = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
Severity = Literal["fail", "warn"]
Scalar = str | int | float | bool

ROLES: tuple[str, ...] = ("entity", "time", "target", "group", "ignored")
TYPES: tuple[str, ...] = ("string", "integer", "number", "boolean", "date", "timestamp")


@dataclass(frozen=True)
class Rule:
    """A library quality rule of the standard.

    Attributes:
        metric: nullValues, missingValues, invalidValues, duplicateValues or rowCount.
        operator: mustBe, mustBeLessThan …
        limits: one number, or two for the operators with `Between`.
        percent: the metric is counted in percent of the rows, not in rows.
        valid_values: what `invalidValues` allows.
        pattern: what `invalidValues` demands of text.
        missing_values: what `missingValues` counts besides null.
        severity: fail, or warn when the contract says warning or info.
        name: what people call it.
    """

    metric: str
    operator: str
    limits: tuple[float, ...]
    percent: bool = False
    valid_values: tuple[Scalar, ...] | None = None
    pattern: str | None = None
    missing_values: tuple[Scalar, ...] = ()
    severity: Severity = "fail"
    name: str = ""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        role: what the pipeline does with it; `feature` when the contract names no role.
        minimum, maximum: inclusive bounds; ISO 8601 text for dates and timestamps.
        values: the only values allowed; None when any are.
        positive: for the target, the value that counts as 1.
        personal_data_allowed: the legal basis on which personal data may stay here; None when it may not.
    """

    name: str
    type: LogicalType
    role: Role = "feature"
    required: bool = False
    unique: bool = False
    minimum: Scalar | None = None
    maximum: Scalar | None = None
    exclusive_minimum: Scalar | None = None
    exclusive_maximum: Scalar | None = None
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    values: tuple[Scalar, ...] | None = None
    positive: Scalar | None = None
    classification: str | None = None
    personal_data_allowed: str | None = None
    description: str = ""
    format: str | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class DataContract:
    """A data contract (ODCS v3.1.0) of one table.

    Attributes:
        name: of the data product.
        version: of the contract.
        model: name of the model trained on it.
        sha256: of the file's bytes.
        table: name of the schema object.
        columns: in the contract's order.
        freshness_hours: largest age of the newest row, in hours; None without such an agreement.
        rules: quality rules about the table, such as its row count.
    """

    name: str
    version: str
    model: str
    sha256: str
    table: str
    columns: tuple[Column, ...]
    freshness_hours: float | None = None
    description: str = ""
    rules: tuple[Rule, ...] = field(default=())

    def with_role(self, role: Role) -> tuple[Column, ...]:
        """Columns of one role, in the contract's order."""
        return tuple(column for column in self.columns if column.role == role)

    @property
    def features(self) -> tuple[Column, ...]:
        """What a model may read."""
        return self.with_role("feature")

    @property
    def groups(self) -> tuple[Column, ...]:
        """What fairness is measured by; never a feature."""
        return self.with_role("group")

    @property
    def target(self) -> Column:
        """What the model predicts; a contract has exactly one."""
        return self.with_role("target")[0]

    @property
    def entity(self) -> Column | None:
        """What identifies a row's subject."""
        return next(iter(self.with_role("entity")), None)

    @property
    def time(self) -> Column | None:
        """When the row became true."""
        return next(iter(self.with_role("time")), None)

    def column(self, name: str) -> Column:
        """The column called `name`.

        Raises:
            KeyError: no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
