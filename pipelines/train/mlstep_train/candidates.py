"""The estimators that are tried: tuned gradient-boosted trees, and a linear model as their yardstick."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlstep.model import Encoding

if TYPE_CHECKING:
    import optuna

TREES = "gradient_boosted_trees"
LINEAR = "logistic_regression"
ENCODINGS: dict[str, Encoding] = {TREES: "codes", LINEAR: "one_hot"}
_VALIDATION_SHARE = 0.15


def suggest(trial: "optuna.Trial") -> dict[str, Any]:
    """One point of the search space of the trees."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.05, 0.3, log=True),
        "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 3, 32, log=True),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 10, 400, log=True),
        "l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 30.0, log=True),
        "max_features": trial.suggest_float("max_features", 0.4, 1.0),
    }


def trees(parameters: Mapping[str, Any], maximum_iterations: int, patience: int, seed: int) -> Any:
    """A pipeline of gradient-boosted trees that stops when `patience` iterations bring nothing on held-out rows.

    Categories come as codes and missing values as NaN, which trees split on as they are; no imputation is needed.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline

    estimator = HistGradientBoostingClassifier(
        **parameters,
        max_iter=maximum_iterations,
        early_stopping=True,
        n_iter_no_change=patience,
        validation_fraction=_VALIDATION_SHARE,
        random_state=seed,
    )
    return Pipeline([("trees", estimator)])


def linear(seed: int) -> Any:
    """A pipeline of imputation (noting what was missing), scaling and logistic regression; categories are one-hot."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return Pipeline(
        [
            ("impute", impute),
            ("scale", StandardScaler()),
            ("linear", LogisticRegression(max_iter=500, random_state=seed)),
        ]
    )
