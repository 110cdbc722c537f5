"""Step explain: which features a model's ranking lives on, by shuffling them one at a time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlstep.model import Model
from mlstep.step import Context, StepResult
from mlstep_train.rows import check_classes, labelled, labels, read_rows

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


@dataclass(frozen=True)
class ExplainConfig:
    """How importance is measured.

    Attributes:
        rows: test rows used, drawn at random.
        repeats: shuffles per feature.
        minimum_class_rows: rows of each class that the measure needs.
    """

    seed: int = 7
    rows: int = 5000
    repeats: int = 5
    minimum_class_rows: int = 20


class Explain:
    """Permutation importance: the loss of AUC when a feature's values are shuffled."""

    name: ClassVar[str] = "explain"
    config_type: ClassVar[type] = ExplainConfig
    inputs: ClassVar[tuple[str, ...]] = ("model", "test")
    optional_inputs: ClassVar[tuple[str, ...]] = ("previous",)
    outputs: ClassVar[tuple[str, ...]] = ("report",)

    def run(self, ctx: Context[ExplainConfig]) -> StepResult:
        """Write features by importance; warn when one alone carries the model, or none does."""
        from mlstep_train.threads import one_thread

        model = Model.load(ctx.inputs["model"])
        rows, found = _sample(ctx, model)
        with one_thread():
            entries = _importances(ctx, model, rows, found)
        previous = ctx.report("previous") if ctx.has("previous") else None
        _rank(entries, previous)
        leader = entries[0]
        reasons = [f"{entry['feature']}: {entry['auc_loss']:.4f} AUC" for entry in entries[:3]]
        share = leader["share"]
        suspicious = share > 0.9 and len(entries) > 1
        if suspicious:
            reasons.insert(
                0,
                f"{leader['feature']} alone carries {share:.0%} of the model: is it known when a decision is made?",
            )
        report = {
            "method": "permutation importance (loss of AUC)",
            "model_digest": ctx.origins["model"]["digest"],
            "rows": rows.height,
            "repeats": ctx.config.repeats,
            "features": entries,
            "decision": "warn" if suspicious else "pass",
            "reasons": reasons,
        }
        ctx.write_report(report)
        return StepResult(
            "warn" if suspicious else "pass", {"largest_share": share, "features": float(len(entries))}, reasons
        )


def _sample(ctx: Context[ExplainConfig], model: Model) -> "tuple[pl.DataFrame, np.ndarray[Any, Any]]":
    description, config = model.description, ctx.config
    rows = labelled(read_rows(ctx.inputs["test"]), description.target)
    rows = rows.sample(min(rows.height, config.rows), seed=config.seed)
    found = labels(rows, description.target, description.positive)
    check_classes(found, config.minimum_class_rows, "test rows", f"{description.target} = {description.positive}")
    return rows, found


def _importances(
    ctx: Context[ExplainConfig], model: Model, rows: "pl.DataFrame", found: "np.ndarray[Any, Any]"
) -> list[dict[str, Any]]:
    import numpy as np

    from mlstep.statistics.ranking import auc

    rng = np.random.default_rng(ctx.config.seed)
    whole = auc(found, model.predict_scores(rows))
    features = model.description.features
    entries = []
    for number, feature in enumerate(features, start=1):
        losses = []
        for _ in range(ctx.config.repeats):
            shuffled = rows.with_columns(rows[feature.name].gather(rng.permutation(rows.height)))
            losses.append(whole - auc(found, model.predict_scores(shuffled)))
        entries.append(
            {"feature": feature.name, "auc_loss": float(np.mean(losses)), "standard_deviation": float(np.std(losses))}
        )
        ctx.progress(number, len(features), feature.name)
    return entries


def _rank(entries: list[dict[str, Any]], previous: dict[str, Any] | None) -> None:
    """Sort by importance, add rank and share, and the rank before where it is known."""
    entries.sort(key=lambda entry: (-entry["auc_loss"], entry["feature"]))
    total = sum(max(0.0, entry["auc_loss"]) for entry in entries)
    before = {} if previous is None else {entry["feature"]: entry["rank"] for entry in previous["features"]}
    for rank, entry in enumerate(entries, start=1):
        entry["rank"] = rank
        entry["share"] = max(0.0, entry["auc_loss"]) / total if total else 0.0
        entry["rank_before"] = before.get(entry["feature"])
