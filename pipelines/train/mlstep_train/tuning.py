"""k-fold cross-validation and tuning with pruning. Reproducible: one process, seeded sampler, no clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlstep.statistics.ranking import auc
from mlstep_train.candidates import suggest, trees

if TYPE_CHECKING:
    import numpy as np
    import optuna

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Search:
    """What a search may spend.

    Attributes:
        trials: parameter sets tried.
        startup_trials: random ones before the sampler learns and the pruner stops any.
        maximum_iterations: trees per model.
        patience: iterations without gain before a model stops growing.
    """

    seed: int
    trials: int
    startup_trials: int
    maximum_iterations: int
    patience: int


@dataclass(frozen=True)
class Tuned:
    """The outcome of tuning: the best trees' parameters, and every trial for the report."""

    parameters: dict[str, Any]
    trials: list[dict[str, Any]]


def make_folds(labels: "np.ndarray[Any, Any]", count: int, by_time: bool, seed: int) -> list[Any]:
    """Row numbers (train, test) per fold: by time each fold lies after the rows it learns from, else stratified.

    Raises:
        ValueError: a fold's part has rows of one class only.
    """
    import numpy as np
    from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit

    splitter = TimeSeriesSplit(count) if by_time else StratifiedKFold(count, shuffle=True, random_state=seed)
    folds = list(splitter.split(np.zeros(len(labels)), labels))
    if any(len(np.unique(labels[part])) < 2 for fold in folds for part in fold):
        raise ValueError(f"one of {count} folds has rows of one class only")
    return folds


def tune(
    matrix: "np.ndarray[Any, Any]", labels: "np.ndarray[Any, Any]", folds: list[Any], limits: Search, progress: Progress
) -> Tuned:
    """Tune the trees, fold by fold, so that a bad trial is pruned after its first folds."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=limits.seed, n_startup_trials=limits.startup_trials),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=limits.startup_trials, n_warmup_steps=0),
    )

    def objective(trial: "optuna.Trial") -> float:
        estimator = trees(suggest(trial), limits.maximum_iterations, limits.patience, limits.seed)
        return _score_folds(trial, estimator, matrix, labels, folds)

    def tell(study: "optuna.Study", trial: "optuna.trial.FrozenTrial") -> None:
        progress(
            trial.number + 1, limits.trials, f"trial {trial.number + 1}/{limits.trials} best AUC {study.best_value:.4f}"
        )

    study.optimize(objective, n_trials=limits.trials, callbacks=[tell])
    return Tuned(study.best_params, [_describe(trial) for trial in study.trials])


def fold_aucs(
    estimator: Any, matrix: "np.ndarray[Any, Any]", labels: "np.ndarray[Any, Any]", folds: list[Any]
) -> list[float]:
    """AUC of each fold's test part after fitting on its train part."""
    from sklearn.base import clone

    return [_fold_auc(clone(estimator), matrix, labels, fold) for fold in folds]


def _score_folds(trial: "optuna.Trial", estimator: Any, matrix: Any, labels: Any, folds: list[Any]) -> float:
    import optuna
    from sklearn.base import clone

    scores: list[float] = []
    for number, fold in enumerate(folds):
        scores.append(_fold_auc(clone(estimator), matrix, labels, fold))
        trial.set_user_attr("fold_aucs", scores)
        trial.report(_mean(scores), number)
        if number + 1 < len(folds) and trial.should_prune():
            raise optuna.TrialPruned
    return _mean(scores)


def _fold_auc(estimator: Any, matrix: Any, labels: Any, fold: Any) -> float:
    train, test = fold
    estimator.fit(matrix[train], labels[train])
    return auc(labels[test], estimator.predict_proba(matrix[test])[:, 1])


def _describe(trial: "optuna.trial.FrozenTrial") -> dict[str, Any]:
    return {
        "number": trial.number + 1,
        "state": trial.state.name.lower(),
        "parameters": trial.params,
        "fold_aucs": trial.user_attrs.get("fold_aucs", []),
        "auc": trial.value,
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
