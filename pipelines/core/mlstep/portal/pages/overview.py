"""The first page: models, data sets, runs, verdicts, and where the other services are."""

from typing import Any

from mlstep.platform import Platform
from mlstep.portal.pages import model as model_page
from mlstep.portal.reading import data, models, policy, runs
from mlstep.portal.render import page


def render(platform: Platform) -> str:
    """The overview as HTML."""
    found = [models.read(platform, name) for name in models.names(platform)]
    return page(
        "overview.html",
        platform,
        "Overview",
        "/",
        models=found,
        metrics={model.name: _headline(platform, model) for model in found},
        data_sets=data.read_all(platform),
        waiting=[(model.name, record) for model in found for record in model_page.waiting(platform, model)[:1]],
        alerts=models.open_alerts(platform.root),
        runs=runs.list_runs(platform.root, 6),
        policy=policy.read(platform.root),
        use_case=platform.stages.get("governance", {}).get("use_case"),
        links=links(platform),
        stages=[name for name in platform.stages if name not in ("foundation", "governance")],
    )


def links(platform: Platform) -> list[tuple[str, str, str]]:
    """Other services as (name, address, what for); only those that the platform has."""
    table = (
        (
            "registry",
            "tracking_uri",
            "MLflow",
            "experiments and registered models; user and password: strata secret mlflow",
            "",
        ),
        ("registry", "prediction_service", "Prediction service", "try a prediction, read the interface", "/docs"),
        ("monitoring", "dashboard_uri", "Monitoring", "signals, alerts, windows", ""),
        ("pipelines", "catalog_uri", "Data catalogue", "contracts, owners, quality", ""),
        ("feature_store", "feature_server", "Feature server", "online features", "/docs"),
    )
    stages = platform.stages
    return [
        (name, f"{str(stages[stage][key]).rstrip('/') if tail else stages[stage][key]}{tail}", text)
        for stage, key, name, text, tail in table
        if stages.get(stage, {}).get(key)
    ]


def _headline(platform: Platform, model: models.Model) -> dict[str, Any]:
    """The one number people ask for first, with what it was measured on."""
    if model.card is None:
        return {"value": None, "of": ""}
    realised = models.readings(model, "realised_performance").get("", [])
    if realised:
        return {"value": realised[-1][1]["detail"], "of": "on known outcomes"}
    run = None if model.champion is None else runs.read_run(platform.root, model.champion.pipeline, model.champion.run)
    evaluated = None if run is None else run.report("evaluate")
    if evaluated is not None:
        auc = evaluated["auc"]
        return {"value": f"AUC {auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]", "of": "on test rows"}
    return {"value": model.card.get("metrics", {}).get("validation_auc"), "of": "AUC in validation"}
