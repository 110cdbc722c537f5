"""A model on one page, from purpose and people to alerts and what followed."""

from typing import Any

from mlstep.platform import Platform
from mlstep.portal.pages import pictures
from mlstep.portal.reading import models, runs, traffic
from mlstep.portal.render import page


def render(platform: Platform, name: str) -> str | None:
    """The page of a model; None if nothing here knows it."""
    if name not in models.names(platform):
        return None
    model = models.read(platform, name)
    run = _run_of(platform, model)
    answers = traffic.read(platform.root, name)
    return page(
        "model.html",
        platform,
        name,
        "/",
        crumbs=[("/", "Models")],
        model=model,
        use_case=platform.stages.get("governance", {}).get("use_case"),
        waiting=waiting(platform, model),
        pictures=_pictures(platform, model, run, answers),
        traffic=answers,
        run=run,
        signals=sorted(
            (model.measured or {}).get("signals", []),
            key=lambda entry: (not entry["firing"], entry["signal"], entry["subject"]),
        ),
    )


def _run_of(platform: Platform, model: models.Model) -> runs.Run | None:
    champion = model.champion
    return None if champion is None else runs.read_run(platform.root, champion.pipeline, champion.run)


def waiting(platform: Platform, model: models.Model) -> list[dict[str, Any]]:
    """Candidates newer than the champion that passed the gate and were never champion: somebody may sign them."""
    known = {entry.version for entry in model.entries}
    newest = max(known, default=0)
    found = [record for record in runs.candidates(platform.root, model.name) if record["candidate"]["version"] > newest]
    return [
        {**record, "gate": runs.STATES.get(record["steps"].get("gate", {}).get("state", ""), "unknown")}
        for record in found
    ]


def _pictures(
    platform: Platform, model: models.Model, run: runs.Run | None, answers: traffic.Traffic | None
) -> dict[str, Any]:
    """Every picture there are numbers for."""
    drawn: dict[str, Any] = {
        "drift": pictures.drift(model),
        "score_drift": pictures.over_windows(model, "score_drift", "Scores against training: PSI", "PSI"),
        "performance": pictures.over_windows(
            model, "realised_performance", "AUC lost on known outcomes", "drop in AUC"
        ),
        "estimate": pictures.over_windows(
            model, "estimated_performance", "AUC lost, estimated before outcomes", "drop in AUC"
        ),
        "calibration_gap": pictures.over_windows(model, "calibration", "Calibration gap in production", "gap"),
        "fairness_windows": pictures.fairness_over_windows(model),
        "traffic": None if answers is None else pictures.traffic(answers),
        "latency": None if answers is None else pictures.latency(answers),
        "importance_over_time": pictures.importance_over_time(_explained(platform, model)),
    }
    return drawn | ({} if run is None else reports(run))


def reports(run: runs.Run) -> dict[str, Any]:
    """Pictures of a run's reports, shared with the gate's page."""
    note = f"source: run {run.record['run']}"
    evaluated, explained, fair = (run.report(step) for step in ("evaluate", "explain", "fairness"))
    drawn: dict[str, Any] = {}
    if evaluated is not None:
        about = f"{evaluated['rows']:,} test rows; {note}"
        drawn |= {"auc": pictures.performance(evaluated, about), "delta": pictures.difference(evaluated, about)}
        drawn["calibration"] = pictures.calibration(evaluated, about)
    if explained is not None:
        drawn["importance"] = pictures.importance(
            explained, f"{explained['rows']:,} test rows, {explained['repeats']} shuffles; {note}"
        )
    if fair is not None:
        drawn["fairness"] = pictures.fairness(
            fair, f"{fair['rows']:,} test rows, groups of {fair['smallest_group']} or more; {note}"
        )
    return drawn


def _explained(platform: Platform, model: models.Model) -> list[Any]:
    """Champions, oldest first, with the report of their run that explains them."""
    found = []
    for entry in model.entries:
        run = runs.read_run(platform.root, entry.pipeline, entry.run) if entry.kind == "promote" else None
        report = None if run is None else run.report("explain")
        if report is not None:
            found.append((entry, report))
    return found
