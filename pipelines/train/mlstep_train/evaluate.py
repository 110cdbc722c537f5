"""Step evaluate: how good a model is on rows it has never seen, how sure that is, and against the champion."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlstep.errors import ConfigError
from mlstep.model import Description, Model
from mlstep.step import Context, Decision, StepResult
from mlstep_train.rows import check_classes, group_frame, labelled, labels, read_rows

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

SCORES_FILE = "scores.parquet"


@dataclass(frozen=True)
class EvaluateConfig:
    """How a model is judged.

    Attributes:
        replicates: bootstrap resamples behind every interval.
        confidence: of every interval.
        calibration_bins: bins of equally many rows in the calibration curve.
        largest_train_gap: AUC on training rows less AUC on test rows, above which the model is called overfitted.
        largest_fold_spread: standard deviation of the AUC over folds above which the model is called unstable.
        latency_rows: rows scored one by one to measure the time per answer.
        minimum_class_rows: test rows of each class that a verdict needs.
    """

    seed: int = 7
    replicates: int = 1000
    confidence: float = 0.95
    calibration_bins: int = 10
    largest_train_gap: float = 0.05
    largest_fold_spread: float = 0.04
    latency_rows: int = 300
    minimum_class_rows: int = 20


@dataclass(frozen=True)
class _Judged:
    """Test rows with labels and the model's scores."""

    rows: "pl.DataFrame"
    labels: "np.ndarray[Any, Any]"
    scores: "np.ndarray[Any, Any]"


class Evaluate:
    """Score the test rows, write scores and report."""

    name: ClassVar[str] = "evaluate"
    config_type: ClassVar[type] = EvaluateConfig
    inputs: ClassVar[tuple[str, ...]] = ("model", "test", "train")
    optional_inputs: ClassVar[tuple[str, ...]] = ("champion",)
    outputs: ClassVar[tuple[str, ...]] = ("scores", "report")

    def run(self, ctx: Context[EvaluateConfig]) -> StepResult:
        """Judge; fail when the model ranks no better than chance, warn when its fit is poor.

        Raises:
            ConfigError: too few test rows with known outcomes.
        """
        from mlstep_train.threads import one_thread

        model = Model.load(ctx.inputs["model"])
        with one_thread():
            judged = _judge(ctx, model)
            champion = _champion(ctx, judged)
            report = _report(ctx, model, judged, champion)
        _write_scores(ctx, model.description, judged, champion.get("scores"))
        decision, reasons = _decide(report)
        ctx.write_report({**report, "decision": decision, "reasons": reasons})
        return StepResult(decision, _metrics(report), reasons, {"scores": judged.rows.height})


def _judge(ctx: Context[EvaluateConfig], model: Model) -> _Judged:
    description = model.description
    rows = labelled(read_rows(ctx.inputs["test"]), description.target)
    found = labels(rows, description.target, description.positive)
    check_classes(found, ctx.config.minimum_class_rows, "test rows", f"{description.target} = {description.positive}")
    return _Judged(rows, found, model.predict_scores(rows))


def _champion(ctx: Context[EvaluateConfig], judged: _Judged) -> dict[str, Any]:
    """Digest, and scores on the same rows or the reason why there are none; empty when no champion is given."""
    if not ctx.has("champion"):
        return {}
    digest = ctx.origins["champion"]["digest"]
    champion = Model.load(ctx.inputs["champion"])
    try:
        return {"digest": digest, "scores": champion.predict_scores(judged.rows)}
    except ConfigError as error:
        return {"digest": digest, "reason": f"the champion cannot score these rows: {error.what}"}


def _report(ctx: Context[EvaluateConfig], model: Model, judged: _Judged, champion: dict[str, Any]) -> dict[str, Any]:
    from mlstep.statistics import calibration, ranking

    config, found, scores = ctx.config, judged.labels, judged.scores
    auc = ranking.auc_interval(found, scores, config.replicates, config.confidence, config.seed)
    base = float(found.mean())
    brier = calibration.brier(found, scores)
    points = calibration.curve(found, scores, config.calibration_bins)
    report: dict[str, Any] = {
        "model": model.description.name,
        "model_digest": ctx.origins["model"]["digest"],
        "rows": len(found),
        "positives": int(found.sum()),
        "confidence": config.confidence,
        "auc": auc.as_json(),
        "kolmogorov_smirnov": ranking.kolmogorov_smirnov(found, scores),
        "log_loss": calibration.log_loss(found, scores),
        "brier": brier,
        "brier_skill": 1 - brier / (base * (1 - base)),
        "expected_calibration_error": calibration.expected_calibration_error(points),
        "calibration": points,
        "threshold": _at_threshold(model.description, found, scores),
        "fit": _fit(ctx, model, auc.value),
        "latency": _latency(model, judged.rows, config.latency_rows),
        "champion": None,
    }
    return {**report, **_against_champion(config, judged, champion)}


def _against_champion(config: EvaluateConfig, judged: _Judged, champion: dict[str, Any]) -> dict[str, Any]:
    from mlstep.statistics import ranking

    if not champion:
        return {}
    if "scores" not in champion:
        return {"champion": {"digest": champion["digest"], "comparable": False, "reason": champion["reason"]}}
    delta = ranking.paired_auc_delta(
        judged.labels, judged.scores, champion["scores"], config.replicates, config.confidence, config.seed
    )
    known = {"digest": champion["digest"], "comparable": True, "auc": ranking.auc(judged.labels, champion["scores"])}
    return {"champion": known, "paired_auc_delta": delta.as_json()}


def _at_threshold(
    description: Description, found: "np.ndarray[Any, Any]", scores: "np.ndarray[Any, Any]"
) -> dict[str, float]:
    above = scores >= description.threshold
    hits = float((above & (found == 1)).sum())
    return {
        "threshold": description.threshold,
        "share_at_or_above": float(above.mean()),
        "precision": hits / float(above.sum()) if above.any() else 0.0,
        "recall": hits / float(found.sum()),
    }


def _fit(ctx: Context[EvaluateConfig], model: Model, test_auc: float) -> dict[str, Any]:
    """Over- or under-fitted: the gap from training to test rows, the spread over folds, the linear yardstick."""
    from mlstep.statistics.ranking import auc

    description, config = model.description, ctx.config
    rows = labelled(read_rows(ctx.inputs["train"]), description.target)
    train_auc = auc(labels(rows, description.target, description.positive), model.predict_scores(rows))
    spread = description.metrics["cross_validation_auc_standard_deviation"]
    mean, yardstick = description.metrics["cross_validation_auc_mean"], description.metrics["linear_model_auc_mean"]
    problems = []
    if train_auc - test_auc > config.largest_train_gap:
        problems.append(f"over-fitted: AUC {train_auc:.3f} on training rows and {test_auc:.3f} on test rows")
    if mean < yardstick:
        problems.append(f"under-fitted: AUC {mean:.3f} in cross-validation, a linear model has {yardstick:.3f}")
    if spread > config.largest_fold_spread:
        problems.append(f"unstable: the AUC varies by {spread:.3f} (standard deviation) over the folds")
    return {
        "train_auc": train_auc,
        "train_test_gap": train_auc - test_auc,
        "fold_standard_deviation": spread,
        "linear_model_auc": yardstick,
        "verdict": "good" if not problems else problems[0].split(":")[0],
        "problems": problems,
    }


def _latency(model: Model, rows: "pl.DataFrame", count: int) -> dict[str, float]:
    """Time to score one row on one thread, in milliseconds."""
    import numpy as np

    maps = rows.head(count).to_dicts()
    model.predict_scores(maps[:1])
    taken = []
    for row in maps:
        started = time.perf_counter()
        model.predict_scores([row])
        taken.append((time.perf_counter() - started) * 1000)
    low, high = np.quantile(taken, [0.5, 0.95])
    return {"p50_ms": float(low), "p95_ms": float(high), "rows": len(maps)}


def _write_scores(ctx: Context[EvaluateConfig], description: Description, judged: _Judged, champion: Any) -> None:
    """Row number, label, score, whether the decision is the favourable one, the champion's score, groups as text."""
    import polars as pl

    taken = {"row", "label", "score", "favourable", "champion_score"}.intersection(description.groups)
    if taken:
        raise ConfigError(
            f"group columns {', '.join(sorted(taken))}: these names are taken in {SCORES_FILE}",
            "rename them in the data and its contract",
        )
    favourable = (judged.scores >= description.threshold) == (
        description.decisions["favourable"] == description.decisions["at_or_above"]
    )
    frame = pl.DataFrame(
        {"row": range(judged.rows.height), "label": judged.labels, "score": judged.scores, "favourable": favourable}
    )
    if champion is not None:
        frame = frame.with_columns(pl.Series("champion_score", champion))
    frame = frame.hstack(group_frame(judged.rows, description).get_columns())
    frame.write_parquet(ctx.outputs["scores"] / SCORES_FILE)


def _decide(report: dict[str, Any]) -> tuple[Decision, list[str]]:
    auc = report["auc"]
    if auc["low"] <= 0.5:
        return "fail", [f"AUC {_shown(auc)}: the model may rank no better than chance"]
    reasons: Sequence[str] = report["fit"]["problems"]
    champion = report["champion"]
    unknown = [champion["reason"]] if champion is not None and not champion["comparable"] else []
    return ("warn" if reasons or unknown else "pass"), [
        *reasons,
        *unknown,
        f"AUC {_shown(auc)} on {report['rows']:,} test rows",
    ]


def _metrics(report: dict[str, Any]) -> dict[str, float]:
    metrics = {
        "auc": report["auc"]["value"],
        "auc_low": report["auc"]["low"],
        "auc_high": report["auc"]["high"],
        "brier": report["brier"],
        "expected_calibration_error": report["expected_calibration_error"],
        "train_test_gap": report["fit"]["train_test_gap"],
        "latency_p50_ms": report["latency"]["p50_ms"],
        "latency_p95_ms": report["latency"]["p95_ms"],
    }
    delta = report.get("paired_auc_delta")
    return (
        metrics
        if delta is None
        else {**metrics, "paired_auc_delta": delta["value"], "paired_auc_delta_low": delta["low"]}
    )


def _shown(interval: dict[str, float]) -> str:
    return f"{interval['value']:.3f} [{interval['low']:.3f}, {interval['high']:.3f}]"
