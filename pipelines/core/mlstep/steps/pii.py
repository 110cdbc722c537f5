"""PII: scan every value of every text column for personal data, by column name, shape and checksum."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlstep.contracts import DataContract, read_contract
from mlstep.data.frames import mask, scan_rows
from mlstep.data.personal import KINDS, Kind
from mlstep.step import Context, Decision, NoConfig, StepResult

if TYPE_CHECKING:
    import polars as pl

_NAMES: tuple[tuple[str, str], ...] = (
    (
        "name of a person",
        r"(first|last|sur|full|given|family|maiden|customer|applicant|client|borrower|person|contact)_?name|^name$",
    ),
    ("e-mail", r"e_?mail"),
    ("phone", r"phone|mobile_?(number|no)|^mobile$|^tel$"),
    ("postal address", r"street|(home|postal|post|mail|living|residential)_?address|^address$"),
    (
        "national identifier",
        r"ssn|social_?security|personnummer|personal_?(id|number|code|identity)|national_?id|^hetu$|^cpr$|^pesel$|passport|tax_?id",
    ),
    ("account or card", r"iban|bank_?account|account_?(number|no)$|card_?(number|no)$|^pan$"),
    ("date of birth", r"birth_?(date|day)|date_?of_?birth|^dob$"),
    ("IP address", r"^ip$|ip_?addr"),
)
_LARGE_NUMBER = 100_000_000  # Smaller whole numbers are too short for any identifier looked for.
_MOSTLY = 0.5
_ENOUGH = 50


@dataclass(frozen=True)
class Hit:
    """Personal data of one kind in one column; `values` are raw examples, to be masked."""

    column: str
    kind: str
    by: str
    rows: int
    candidates: int
    by_chance: bool = False
    values: tuple[str, ...] = ()


class Pii:
    """Look for personal data and fail when some may not be there."""

    name: ClassVar[str] = "pii"
    config_type: ClassVar[type] = NoConfig
    inputs: ClassVar[tuple[str, ...]] = ("data", "contract")
    optional_inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ("report",)

    def run(self, ctx: Context[NoConfig]) -> StepResult:
        """Write the masked report."""
        import polars as pl

        contract = read_contract(ctx.inputs["contract"])
        frame = scan_rows(ctx.inputs["data"])
        rows = int(frame.select(pl.len()).collect().item())
        hits = scan(frame)
        allowed = {
            column.name: column.personal_data_allowed for column in contract.columns if column.personal_data_allowed
        }
        forbidden = [hit for hit in hits if hit.column not in allowed and not hit.by_chance]
        chances = [hit for hit in hits if hit.by_chance]
        decision: Decision = "fail" if forbidden else "pass"
        ctx.write_report(
            {
                "contract": {"name": contract.name, "version": contract.version, "sha256": contract.sha256},
                "rows": rows,
                "decision": decision,
                "columns": sorted(frame.collect_schema().names()),
                "kinds": [kind.name for kind in KINDS],
                "findings": [_entry(hit, rows, allowed) for hit in hits if not hit.by_chance],
                "coincidences": [_entry(hit, rows, allowed) for hit in chances],
            }
        )
        metrics = {
            "rows": float(rows),
            "findings": float(len(forbidden)),
            "allowed_findings": float(len(hits) - len(forbidden) - len(chances)),
        }
        return StepResult(decision, metrics, [_sentence(hit, rows, contract) for hit in forbidden])


def scan(frame: "pl.LazyFrame") -> list[Hit]:
    """Every hit, by column name first, then by content, in the order of columns and kinds."""
    import polars as pl

    schema = frame.collect_schema()
    hits: list[Hit] = []
    for name, dtype in schema.items():
        hits += [Hit(name, kind, "name", 0, 0) for kind, pattern in _NAMES if re.search(pattern, _snake(name))]
        if dtype in (pl.String, pl.Categorical, pl.Enum):
            counts = frame.group_by(pl.col(name).cast(pl.String).alias("value")).len().collect()
            hits += _content(name, counts, KINDS)
        elif dtype.is_integer():
            counts = (
                frame.filter(pl.col(name) >= _LARGE_NUMBER)
                .group_by(pl.col(name).cast(pl.String).alias("value"))
                .len()
                .collect()
            )
            hits += _content(name, counts, tuple(kind for kind in KINDS if kind.digits_only))
    return hits


def _content(column: str, counts: "pl.DataFrame", kinds: tuple[Kind, ...]) -> list[Hit]:
    """Hits among a column's distinct values; every kind has a digit or an @, so other values are skipped."""
    import polars as pl

    present = int(counts.filter(pl.col("value").is_not_null())["len"].sum())
    plausible = counts.filter(pl.col("value").str.contains(r"[0-9@]"))
    hits = []
    for kind in kinds:
        matching = plausible.filter(pl.col("value").str.contains(kind.pattern))
        if not matching.height:
            continue
        found = matching if kind.valid is None else matching.filter(_valid(matching, kind))
        rows, candidates = int(found["len"].sum()), int(matching["len"].sum())
        if rows:
            examples = (
                found.sort("value")
                .head(3)
                .select(pl.col("value").str.extract(f"({kind.pattern})", 1))
                .to_series()
                .to_list()
            )
            hits.append(
                Hit(
                    column,
                    kind.name,
                    "content",
                    rows,
                    candidates,
                    _by_chance(kind, rows, candidates, present),
                    tuple(examples),
                )
            )
    return hits


def _valid(matching: "pl.DataFrame", kind: Kind) -> "pl.Series":
    import polars as pl

    assert kind.valid is not None
    candidates = matching.select(pl.col("value").str.extract_all(kind.pattern)).to_series().to_list()
    return pl.Series([any(kind.valid(text) for text in texts) for texts in candidates], dtype=pl.Boolean)


def _by_chance(kind: Kind, rows: int, candidates: int, present: int) -> bool:
    """Whether a column that is full of numbers of this shape passes no more checksums than random numbers would."""
    if kind.chance == 0 or candidates < _ENOUGH or candidates < _MOSTLY * present:
        return False
    return rows <= min(3 * kind.chance, 0.9) * candidates


def _snake(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())


def _entry(hit: Hit, rows: int, allowed: dict[str, str]) -> dict[str, Any]:
    return {
        "column": hit.column,
        "kind": hit.kind,
        "by": hit.by,
        "rows": hit.rows,
        "share": round(hit.rows / rows, 6) if rows else 0.0,
        "candidates": hit.candidates,
        "examples": [mask(value) for value in hit.values],
        "allowed": allowed.get(hit.column),
    }


def _sentence(hit: Hit, rows: int, contract: DataContract) -> str:
    remedy = (
        f"remove it at its source, or let {contract.name}'s owner name a legal basis (strata.personal_data_allowed)"
    )
    if hit.by == "name":
        return f"column {hit.column} is called like a {hit.kind}: {remedy}"
    shown = ", ".join(mask(value) for value in hit.values)
    return f"column {hit.column}: {hit.kind} in {hit.rows} rows ({hit.rows / rows:.2%}), such as {shown}: {remedy}"
