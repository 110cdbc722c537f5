"""Step plausibility: does the model behave on rows nobody trained it on: empty, extreme, unknown."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlstep.canonical import read_json
from mlstep.contracts import DataContract, read_contract
from mlstep.model import Feature, Model
from mlstep.step import Context, StepResult
from mlstep_train import model_folder
from mlstep_train.rows import check_classes, labelled, labels, read_rows

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

_UNKNOWN = "\N{REPLACEMENT CHARACTER} no such value"


@dataclass(frozen=True)
class PlausibilityConfig:
    """What a plausible model is.

    Attributes:
        smallest_distinct_scores: different scores that the test rows must give.
        largest_fallback_share: share of test rows that may be refused (missing, out of range, unknown).
        round_trip_rows: rows scored both one by one and together.
    """

    smallest_distinct_scores: int = 10
    largest_fallback_share: float = 0.01
    round_trip_rows: int = 200


@dataclass(frozen=True)
class Check:
    """One expectation: what was found, what was expected, whether it holds."""

    id: str
    passed: bool
    found: str
    expected: str


class Plausibility:
    """Check scores on test rows and on made-up rows; every check is in the report."""

    name: ClassVar[str] = "plausibility"
    config_type: ClassVar[type] = PlausibilityConfig
    inputs: ClassVar[tuple[str, ...]] = ("model", "test", "contract")
    optional_inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ("report",)

    def run(self, ctx: Context[PlausibilityConfig]) -> StepResult:
        """Write the report; fail when a check does not hold."""
        from mlstep_train.threads import one_thread

        model, contract = Model.load(ctx.inputs["model"]), read_contract(ctx.inputs["contract"])
        rows = read_rows(ctx.inputs["test"])
        with one_thread():
            scores = model.predict_scores(rows)
            checks = [
                *_score_checks(ctx.config, model, scores),
                _inversion(model, rows),
                *_input_checks(ctx.config, model, rows),
                _round_trip(model, rows.head(ctx.config.round_trip_rows), scores),
                *_schema_checks(ctx, model, contract),
            ]
        failed = [check for check in checks if not check.passed]
        reasons = [f"{check.id}: {check.found}, expected {check.expected}" for check in failed]
        report = {
            "model_digest": ctx.origins["model"]["digest"],
            "rows": rows.height,
            "checks": [vars(check) for check in checks],
            "failed": len(failed),
            "decision": "fail" if failed else "pass",
            "reasons": reasons,
        }
        ctx.write_report(report)
        return StepResult(
            "fail" if failed else "pass", {"checks": float(len(checks)), "failed": float(len(failed))}, reasons
        )


def _score_checks(config: PlausibilityConfig, model: Model, scores: "np.ndarray[Any, Any]") -> list[Check]:
    import numpy as np

    low, high = model.description.score["minimum"], model.description.score["maximum"]
    finite = scores[np.isfinite(scores)]
    broken, distinct = len(scores) - len(finite), len(np.unique(finite))
    shown = f"{finite.min():.6f} to {finite.max():.6f}" if len(finite) else "no number"
    inside = bool(len(finite) and finite.min() >= low and finite.max() <= high)
    return [
        Check("scores.finite", broken == 0, f"{broken} of {len(scores)} scores are no numbers", "none"),
        Check("scores.range", inside, shown, f"{low} to {high}"),
        Check(
            "scores.varied",
            distinct >= config.smallest_distinct_scores,
            f"{distinct} different scores",
            f"{config.smallest_distinct_scores} or more",
        ),
    ]


def _inversion(model: Model, rows: "pl.DataFrame") -> Check:
    from mlstep.statistics.ranking import auc

    description = model.description
    known = labelled(rows, description.target)
    found = labels(known, description.target, description.positive)
    check_classes(found, 1, "test rows", f"{description.target} = {description.positive}")
    expected = "above 0.5: a higher score means more often positive"
    try:
        measured = auc(found, model.predict_scores(known))
    except ValueError as error:  # Scores that are no numbers have no order.
        return Check("scores.direction", False, str(error), expected)
    return Check("scores.direction", measured > 0.5, f"AUC {measured:.3f}", expected)


def _input_checks(config: PlausibilityConfig, model: Model, rows: "pl.DataFrame") -> list[Check]:
    description = model.description
    names = [feature.name for feature in description.features]
    maps = rows.select(names).to_dicts()
    refused = sum(bool(description.problems(row)) for row in maps)
    share = refused / max(1, len(maps))
    limit = config.largest_fallback_share
    usable = next((row for row in maps if not description.problems(row)), None)
    checks = [
        Check("inputs.accepted", share <= limit, f"{share:.2%} of the test rows are refused", f"{limit:.2%} or less")
    ]
    if usable is None:
        return checks
    wrong = [problem for feature in description.features for problem in _probe(model, usable, feature)]
    found = "; ".join(wrong) or "every probe gives a score in range, or is refused"
    return [
        *checks,
        Check(
            "inputs.probes",
            not wrong,
            found,
            "missing, extreme and unknown values give a score in range, or are refused",
        ),
    ]


def _probe(model: Model, row: Mapping[str, Any], feature: Feature) -> list[str]:
    """What goes wrong when one feature takes an odd value: neither a score in range nor a refusal."""
    values: list[Any] = [None]
    if feature.kind == "number":
        values += [feature.minimum, feature.maximum, -1e300, 1e300, math.inf, math.nan]
    elif feature.kind == "boolean":
        values += [True, False, 2]
    else:
        values += [_UNKNOWN, "", 7]
    wrong = []
    for value in values:
        probed = {**row, feature.name: value}
        if model.description.problems(probed):
            continue
        score = float(model.predict_scores([probed])[0])
        if not model.description.score["minimum"] <= score <= model.description.score["maximum"]:
            wrong.append(f"{feature.name} = {value!r} gives {score}")
    return wrong


def _round_trip(model: Model, rows: "pl.DataFrame", scores: "np.ndarray[Any, Any]") -> Check:
    import numpy as np

    single = np.array([float(model.predict_scores([row])[0]) for row in rows.to_dicts()])
    together = scores[: len(single)]
    same = np.isclose(single, together, rtol=0, atol=1e-9, equal_nan=True)
    expected = "the same scores one by one as together (to 1e-9)"
    different = int((~same).sum())
    return Check("scores.one_by_one", different == 0, f"{different} of {len(single)} rows differ", expected)


def _schema_checks(ctx: Context[PlausibilityConfig], model: Model, contract: DataContract) -> list[Check]:
    description = model.description
    wanted = [column.name for column in contract.features]
    found = [feature.name for feature in description.features]
    leaked = sorted(set(found) & {column.name for column in contract.columns if column.role != "feature"})
    written = read_json(ctx.inputs["model"] / model_folder.SIGNATURE_FILE)
    return [
        Check(
            "schema.features",
            found == wanted,
            f"{len(found)} features: {', '.join(found)}",
            f"the contract's: {', '.join(wanted)}",
        ),
        Check(
            "schema.roles", not leaked, f"features that the contract excludes: {', '.join(leaked) or 'none'}", "none"
        ),
        Check(
            "schema.contract",
            description.contract["sha256"] == contract.sha256,
            f"trained on contract {description.contract['sha256'][:12]}",
            f"this contract, {contract.sha256[:12]}",
        ),
        Check(
            "schema.signature",
            written == model_folder.signature(description),
            "signature.json and model.json "
            + ("agree" if written == model_folder.signature(description) else "disagree"),
            "agree",
        ),
    ]
