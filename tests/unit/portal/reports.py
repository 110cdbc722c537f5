"""Reports in the shape in which the steps write them; tests/unit/train/test_report_shapes.py compares them."""

from typing import Any

_AUC = {"value": 0.742, "low": 0.735, "high": 0.749}
_CONTRACT = {"name": "applications", "version": "1.0.0", "sha256": "c" * 64}


def _bin(score: float, observed: float) -> dict[str, float]:
    return {"score": score, "observed": observed, "low": observed - 0.02, "high": observed + 0.02, "rows": 320}


def _group(name: str, rate: float, ratio: dict[str, Any] | None) -> dict[str, Any]:
    interval = {"value": rate, "low": rate - 0.02, "high": rate + 0.02}
    group: dict[str, Any] = {"group": name, "rows": 800, "decidable": ratio is not None, "approval_rate": interval}
    return {**group, "base_rate": 0.1} | ({} if ratio is None else {"approval_rate_ratio": ratio})


_WORST = {"value": 0.71, "low": 0.66, "high": 0.76, "about": "group 18-25, n = 800"}
_BEST = {"value": 1.0, "low": 1.0, "high": 1.0, "about": "group 36-50, n = 800"}
_CHECK = {"id": "income.minimum", "column": "income", "check": "minimum", "expected": "at least 0", "severity": "warn"}
_IBAN = {"column": "note", "kind": "IBAN", "by": "content", "rows": 3, "share": 0.01, "candidates": 3, "allowed": None}

REPORTS: dict[str, dict[str, Any]] = {
    "validate": {
        "contract": _CONTRACT,
        "rows": 300,
        "decision": "warn",
        "checks": [{**_CHECK, "passed": False, "violations": 2, "share": 0.0067, "examples": []}],
    },
    "pii": {
        "contract": _CONTRACT,
        "rows": 300,
        "decision": "pass",
        "columns": ["income", "note"],
        "kinds": ["IBAN"],
        "findings": [{**_IBAN, "examples": ["SE** **** **12"]}],
        "coincidences": [],
    },
    "evaluate": {
        "rows": 3200,
        "auc": _AUC,
        "champion": {"digest": "d" * 64, "comparable": True, "auc": 0.74},
        "paired_auc_delta": {"value": 0.002, "low": -0.001, "high": 0.005},
        "fit": {"train_auc": 0.76, "linear_model_auc": 0.73, "train_test_gap": 0.018},
        "calibration": [_bin(0.01, 0.012), _bin(0.08, 0.075), _bin(0.3, 0.29)],
    },
    "explain": {
        "rows": 3000,
        "repeats": 5,
        "features": [
            {"feature": "income", "auc_loss": 0.06, "standard_deviation": 0.01, "share": 0.7, "rank": 1},
            {"feature": "age", "auc_loss": 0.02, "standard_deviation": 0.005, "share": 0.3, "rank": 2},
        ],
    },
    "fairness": {
        "rows": 3200,
        "smallest_ratio": 0.8,
        "smallest_group": 200,
        "group_columns": ["age_band"],
        "columns": {
            "age_band": {
                "reference": "36-50",
                "groups": [_group("18-25", 0.6, _WORST), _group("36-50", 0.85, _BEST), _group("66+", 0.9, None)],
                "undecidable": ["66+"],
                "approval_rate_ratio": _WORST,
                "opportunity_gap": None,
            }
        },
    },
    "plausibility": {"rows": 3200, "checks": [], "failed": 0, "decision": "pass"},
}
