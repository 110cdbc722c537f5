"""Step train: choose, tune and fit a model on the features of a data contract."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mlstep.canonical import iso, now
from mlstep.contracts import DataContract, read_contract
from mlstep.errors import ConfigError
from mlstep.model import PROFILE_FILE, Description, Encoder, Feature
from mlstep.step import Context, StepResult
from mlstep_train.candidates import ENCODINGS, LINEAR, TREES, linear, trees
from mlstep_train.rows import check_classes, describe_features, labelled, labels, positive_value, read_rows

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from mlstep_train.tuning import Tuned


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained.

    Attributes:
        folds: parts of the cross-validation.
        trials: parameter sets tried.
        startup_trials: random parameter sets before any is pruned.
        tuning_rows: rows that tuning looks at, drawn at random from the training rows; models are compared and fitted
            on all.
        maximum_iterations: trees per model.
        patience: iterations without gain before a model stops growing.
        category_limit: values kept per category, the most frequent first.
        minimum_class_rows: rows of each class that training and validation need.
        threshold: score from which the decision is `decision_at_or_above`; None takes the quantile below.
        threshold_quantile: share of the validation rows whose scores are below the threshold.
        favourable: which of the two decisions is good to get.
        fallback_decision: the decision of an answer that the model cannot give.
    """

    seed: int = 7
    folds: int = 3
    trials: int = 12
    startup_trials: int = 5
    tuning_rows: int = 20_000
    maximum_iterations: int = 200
    patience: int = 15
    category_limit: int = 200
    minimum_class_rows: int = 20
    threshold: float | None = None
    threshold_quantile: float = 0.85
    decision_below: str = "approve"
    decision_at_or_above: str = "decline"
    favourable: Literal["below", "at_or_above"] = "below"
    fallback_decision: str = "refer"


class Train:
    """Train a model and write it as a model folder."""

    name: ClassVar[str] = "train"
    config_type: ClassVar[type] = TrainConfig
    inputs: ClassVar[tuple[str, ...]] = ("train", "valid", "contract")
    optional_inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ("model", "trials")

    def run(self, ctx: Context[TrainConfig]) -> StepResult:
        """Tune, fit, describe, write.

        Raises:
            ConfigError: rows or contract cannot be trained on.
        """
        from mlstep_train.threads import one_thread

        _check(ctx.config)
        contract = read_contract(ctx.inputs["contract"])
        data = _prepare(ctx, contract)
        with one_thread():
            chosen = _choose(ctx, contract, data)
            estimator = _fit(chosen, data, ctx.config)
            scores = estimator.predict_proba(data.valid(chosen.algorithm))[:, 1]
        description = _describe(data, contract, ctx.config, chosen, scores)
        _write(ctx, description, estimator, data, chosen, scores)
        return StepResult("pass", dict(description.metrics), [_sentence(description)], {"model": data.train.height})


@dataclass(frozen=True)
class _Data:
    """Rows with known outcomes: to train on, and later ones to stop and to calibrate by."""

    features: tuple[Feature, ...]
    train: "pl.DataFrame"
    labels: "np.ndarray[Any, Any]"
    valid_rows: "pl.DataFrame"
    valid_labels: "np.ndarray[Any, Any]"

    def matrix(self, algorithm: str) -> "np.ndarray[Any, Any]":
        return Encoder(self.features, ENCODINGS[algorithm]).frame(self.train)

    def valid(self, algorithm: str) -> "np.ndarray[Any, Any]":
        return Encoder(self.features, ENCODINGS[algorithm]).frame(self.valid_rows)


@dataclass(frozen=True)
class _Choice:
    """The better of trees and linear by cross-validation; linear when equal, because it is simpler."""

    algorithm: str
    tuned: "Tuned"
    fold_aucs: dict[str, list[float]]


def _check(config: TrainConfig) -> None:
    problems = [
        f"{name} is {getattr(config, name)}, must be 1 or more"
        for name in ("trials", "startup_trials", "patience", "category_limit")
        if getattr(config, name) < 1
    ]
    if config.folds < 2:
        problems.append(f"folds is {config.folds}, must be 2 or more")
    if config.tuning_rows < 100:
        problems.append(f"tuning_rows is {config.tuning_rows}, must be 100 or more")
    if config.maximum_iterations < 10:
        problems.append(f"maximum_iterations is {config.maximum_iterations}, must be 10 or more")
    if not 0 < config.threshold_quantile < 1:
        problems.append(f"threshold_quantile is {config.threshold_quantile}, must be between 0 and 1")
    if config.threshold is not None and not 0 < config.threshold < 1:
        problems.append(f"threshold is {config.threshold}, must be between 0 and 1")
    if problems:
        raise ConfigError("step train: " + "; ".join(problems), "correct these keys")


def _prepare(ctx: Context[TrainConfig], contract: DataContract) -> _Data:
    target, positive = contract.target.name, positive_value(contract)
    train, valid = (labelled(read_rows(ctx.inputs[name]), target) for name in ("train", "valid"))
    if contract.time is not None:
        train = train.sort(contract.time.name, maintain_order=True)
    found, valid_found = labels(train, target, positive), labels(valid, target, positive)
    for name, part in (("training rows", found), ("validation rows", valid_found)):
        check_classes(part, ctx.config.minimum_class_rows, name, f"{target} = {positive}")
    features = describe_features(train, contract, ctx.config.category_limit)
    return _Data(features, train, found, valid, valid_found)


def _choose(ctx: Context[TrainConfig], contract: DataContract, data: _Data) -> _Choice:
    import numpy as np

    from mlstep_train.tuning import Search, fold_aucs, make_folds, tune

    config, by_time = ctx.config, contract.time is not None
    rows = len(data.labels)
    drawn = np.random.default_rng(config.seed).choice(rows, min(rows, config.tuning_rows), replace=False)
    drawn.sort()  # Keeps the order of time.
    matrix = data.matrix(TREES)
    try:
        tuning_folds = make_folds(data.labels[drawn], config.folds, by_time, config.seed)
        folds = make_folds(data.labels, config.folds, by_time, config.seed)
    except ValueError as error:
        raise ConfigError(f"step train: {error}", "give more rows, or set fewer folds or more tuning_rows") from None
    limits = Search(config.seed, config.trials, config.startup_trials, config.maximum_iterations, config.patience)
    tuned = tune(matrix[drawn], data.labels[drawn], tuning_folds, limits, ctx.progress)
    best = trees(tuned.parameters, config.maximum_iterations, config.patience, config.seed)
    aucs = {
        TREES: fold_aucs(best, matrix, data.labels, folds),
        LINEAR: fold_aucs(linear(config.seed), data.matrix(LINEAR), data.labels, folds),
    }
    return _Choice(LINEAR if sum(aucs[LINEAR]) >= sum(aucs[TREES]) else TREES, tuned, aucs)


def _fit(chosen: _Choice, data: _Data, config: TrainConfig) -> Any:
    matrix = data.matrix(chosen.algorithm)
    if chosen.algorithm == LINEAR:
        return linear(config.seed).fit(matrix, data.labels)
    estimator = trees(chosen.tuned.parameters, config.maximum_iterations, config.patience, config.seed)
    # The real validation rows, which lie after the training rows, say when to stop.
    return estimator.fit(matrix, data.labels, trees__X_val=data.valid(TREES), trees__y_val=data.valid_labels)


def _describe(
    data: _Data, contract: DataContract, config: TrainConfig, chosen: _Choice, scores: "np.ndarray[Any, Any]"
) -> Description:
    import numpy as np

    from mlstep.statistics.ranking import auc

    aucs, trials = chosen.fold_aucs[chosen.algorithm], chosen.tuned.trials
    base_rate = float(data.labels.mean())
    threshold = (
        config.threshold if config.threshold is not None else float(np.quantile(scores, config.threshold_quantile))
    )
    names = {"below": config.decision_below, "at_or_above": config.decision_at_or_above}
    metrics = {
        "cross_validation_auc_mean": float(np.mean(aucs)),
        "cross_validation_auc_standard_deviation": float(np.std(aucs, ddof=1)),
        "cross_validation_auc_minimum": min(aucs),
        "linear_model_auc_mean": float(np.mean(chosen.fold_aucs[LINEAR])),
        "validation_auc": auc(data.valid_labels, scores),
        "base_rate": base_rate,
        "training_rows": float(len(data.labels)),
        "trials": float(len(trials)),
        "trials_pruned": float(sum(trial["state"] == "pruned" for trial in trials)),
    }
    return Description(
        name=contract.model,
        created=iso(now()),
        seed=config.seed,
        algorithm=chosen.algorithm,
        encoding=ENCODINGS[chosen.algorithm],
        features=data.features,
        target=contract.target.name,
        positive=positive_value(contract),
        groups=tuple(column.name for column in contract.groups),
        contract={"name": contract.name, "version": contract.version, "sha256": contract.sha256},
        score={"minimum": 0.0, "maximum": 1.0},
        threshold=threshold,
        decisions={**names, "favourable": names[config.favourable]},
        fallback={"score": base_rate, "decision": config.fallback_decision},
        baseline=PROFILE_FILE,
        metrics=metrics,
    )


def _write(
    ctx: Context[TrainConfig],
    description: Description,
    estimator: Any,
    data: _Data,
    chosen: _Choice,
    scores: "np.ndarray[Any, Any]",
) -> None:
    from mlstep.statistics.calibration import curve
    from mlstep.statistics.drift import profile, score_profile
    from mlstep_train import model_folder

    known = {
        **profile(data.train, data.features),
        "score": score_profile(scores),
        "base_rate": float(data.labels.mean()),
    }
    calibration = {"rows": "validation", "curve": curve(data.valid_labels, scores, 10)}
    model_folder.write(ctx.outputs["model"], description, estimator, known, calibration)
    report = {
        "algorithm": chosen.algorithm,
        "parameters": chosen.tuned.parameters,
        "fold_aucs": chosen.fold_aucs,
        "trials": chosen.tuned.trials,
    }
    ctx.write_report(report, "trials")


def _sentence(description: Description) -> str:
    metrics = description.metrics
    found = f"AUC {metrics['cross_validation_auc_mean']:.4f} in cross-validation"
    yardstick = f"linear model {metrics['linear_model_auc_mean']:.4f}"
    pruned = f"{int(metrics['trials_pruned'])} of {int(metrics['trials'])} trials pruned"
    return f"{description.algorithm} over {int(metrics['training_rows']):,} rows: {found} ({yardstick}), {pruned}"
