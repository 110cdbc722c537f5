"""Step fairness: rates by group, with their uncertainty; a group too small to judge is not called fair."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlstep.contracts import read_contract
from mlstep.errors import ConfigError
from mlstep.step import Context, Decision, StepResult

if TYPE_CHECKING:
    import polars as pl

    from mlstep.statistics.groups import GroupTable


@dataclass(frozen=True)
class FairnessConfig:
    """What is judged.

    Attributes:
        replicates: bootstrap resamples behind every interval.
        confidence: of every interval.
        smallest_ratio: a group's rate of favourable decisions over the best group's; the interval's lower bound must
            not be below (four fifths, after 29 CFR 1607.4 D).
        largest_gap: difference in the rate of favourable decisions among rows whose outcome turned out well (equal
            opportunity); the interval's upper bound must not be above.
        smallest_group: rows from which a group can be judged.
    """

    seed: int = 7
    replicates: int = 1000
    confidence: float = 0.95
    smallest_ratio: float = 0.8
    largest_gap: float = 0.15
    smallest_group: int = 200


class Fairness:
    """Compare the groups of every group column."""

    name: ClassVar[str] = "fairness"
    config_type: ClassVar[type] = FairnessConfig
    inputs: ClassVar[tuple[str, ...]] = ("scores", "contract")
    optional_inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ("report",)

    def run(self, ctx: Context[FairnessConfig]) -> StepResult:
        """Write the report; fail when a group's ratio may be below the limit, warn when something cannot be decided.

        Raises:
            ConfigError: the scores lack a group column of the contract.
        """
        import polars as pl

        contract = read_contract(ctx.inputs["contract"])
        names = [column.name for column in contract.groups]
        scores = pl.read_parquet(ctx.inputs["scores"] / "scores.parquet")
        missing = [name for name in names if name not in scores.columns]
        if missing:
            raise ConfigError(
                f"step fairness: the scores lack the group columns {', '.join(missing)}",
                "evaluate with a model trained on this contract",
            )
        columns = {name: judge(scores, name, ctx.config) for name in names}
        decision, reasons = _decide(columns, ctx.config)
        report = {
            "rows": scores.height,
            "group_columns": names,
            "confidence": ctx.config.confidence,
            "smallest_ratio": ctx.config.smallest_ratio,
            "smallest_group": ctx.config.smallest_group,
            "columns": columns,
            "undecidable": sorted(
                f"{name}: {group}" for name, column in columns.items() for group in column["undecidable"]
            ),
            "decision": decision,
            "reasons": reasons,
        }
        ctx.write_report(report)
        return StepResult(decision, _metrics(columns), reasons)


def judge(scores: "pl.DataFrame", column: str, config: FairnessConfig) -> dict[str, Any]:
    """One group column: its groups, and the worst ratio and gap among those large enough."""
    import numpy as np

    from mlstep.statistics import groups

    counted = groups.table(scores[column].to_numpy(), scores["favourable"].to_numpy(), scores["label"].to_numpy())
    sizes = counted.rows
    decidable = [index for index in range(len(counted.names)) if sizes[index] >= config.smallest_group]
    rates = groups.favourable_rate(counted.counts)
    judged: dict[str, Any] = {
        "reference": None,
        "groups": [_describe(counted, index, index in decidable) for index in range(len(counted.names))],
        "undecidable": [name for index, name in enumerate(counted.names) if index not in decidable],
        "approval_rate_ratio": None,
        "opportunity_gap": None,
    }
    best = max(decidable, key=lambda index: (rates[index], sizes[index]), default=None)
    if best is None or len(decidable) < 2 or not rates[best] > 0:
        return judged
    replicates = groups.resample(counted.counts, config.replicates, config.seed)
    given_good, replicated_good = (groups.favourable_rate_given(counts, 0) for counts in (counted.counts, replicates))
    replicated = groups.favourable_rate(replicates)
    ratios, gaps = [], []
    for index in decidable:
        about = f"group {counted.names[index]}, n = {sizes[index]:,}"
        entry = judged["groups"][index]
        ratio = groups.ratio_interval(rates, replicated, index, best, config.confidence, about).as_json()
        entry["approval_rate_ratio"] = ratio
        ratios.append(ratio)
        if np.isfinite(given_good[[index, best]]).all():
            gap = groups.gap_interval(given_good, replicated_good, index, best, config.confidence, about).as_json()
            entry["opportunity_gap"] = gap
            gaps.append(gap)
    judged["reference"] = counted.names[best]
    judged["approval_rate_ratio"] = min(ratios, key=lambda ratio: ratio["low"])
    judged["opportunity_gap"] = max(gaps, key=lambda gap: gap["high"], default=None)
    return judged


def _describe(counted: "GroupTable", index: int, decidable: bool) -> dict[str, Any]:
    from mlstep.statistics import groups
    from mlstep.statistics.intervals import wilson

    counts = counted.counts[index]
    rows, favourable = int(counts.sum()), int(counts[1].sum())
    low, high = wilson(favourable, rows)
    return {
        "group": counted.names[index],
        "rows": rows,
        "decidable": decidable,
        "approval_rate": {"value": favourable / rows, "low": low, "high": high},
        "base_rate": float(groups.base_rate(counts)),
    }


def _decide(columns: dict[str, dict[str, Any]], config: FairnessConfig) -> tuple[Decision, list[str]]:
    failed, warned = [], []
    size = f"{config.smallest_group} rows"
    for name, column in columns.items():
        ratio, gap = column["approval_rate_ratio"], column["opportunity_gap"]
        if ratio is None:
            warned.append(f"{name}: not decidable, fewer than two groups of {size}, or no favourable decision")
        elif ratio["low"] < config.smallest_ratio:
            limit = f"must have a lower bound of {config.smallest_ratio} or more"
            failed.append(f"{name}: approval-rate ratio {_shown(ratio)} {limit} ({ratio['about']})")
        if gap is not None and gap["high"] > config.largest_gap:
            limit = f"must have an upper bound of {config.largest_gap} or less"
            failed.append(f"{name}: approval gap among good outcomes {_shown(gap)} {limit} ({gap['about']})")
        if column["undecidable"] and ratio is not None:
            warned.append(f"{name}: not decidable for {', '.join(column['undecidable'])} (fewer than {size})")
    if not columns:
        warned.append("not decidable: the contract names no group column (strata.role: group)")
    return ("fail" if failed else "warn" if warned else "pass"), failed + warned


def _metrics(columns: dict[str, dict[str, Any]]) -> dict[str, float]:
    ratios = [column["approval_rate_ratio"] for column in columns.values() if column["approval_rate_ratio"] is not None]
    metrics = {"group_columns": float(len(columns)), "columns_decided": float(len(ratios))}
    return metrics if not ratios else {**metrics, "smallest_ratio_low": min(ratio["low"] for ratio in ratios)}


def _shown(interval: dict[str, float]) -> str:
    return f"{interval['value']:.2f} [{interval['low']:.2f}, {interval['high']:.2f}]"
