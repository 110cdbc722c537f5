"""All local stages over the engine: MLflow is real, our own services are stand-ins that only answer a health check."""

from pathlib import Path

from tests.engine.local_platform import HTTP_PROGRAM, RUN_TIME, LocalPlatform

PROGRAM = """
import json

import pulumi
from components import catalog

with open("stages.json") as stream:
    wanted = json.load(stream)
host = None
for stage in catalog.stages_up_to(wanted["stage"]):
    args = wanted["arguments"][stage] | ({} if host is None else {"host": host})
    component = catalog.component(stage, "local")(stage.replace("_", "-"), args)
    if stage == "foundation":
        host = component.host.apply(lambda found: {**found, "python": wanted["python"]})
"""


def stand_in(folder: Path) -> str:
    """An environment with the run time's interpreter and packages, whose `mlstep` is the small HTTP program."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(RUN_TIME / "bin" / "python")
    (folder / "lib").symlink_to(RUN_TIME / "lib", target_is_directory=True)
    (folder / "pyvenv.cfg").write_text((RUN_TIME / "pyvenv.cfg").read_text(encoding="utf-8"), encoding="utf-8")
    command = folder / "bin" / "mlstep"
    command.write_text(f'#!/bin/sh\nexec "{folder}/bin/python" "{HTTP_PROGRAM}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return str(folder / "bin" / "python")


def arguments(platform: LocalPlatform) -> dict[str, dict[str, object]]:
    """Arguments of every stage, as the program would make them from a record."""
    return {
        "foundation": {
            "workspace": "demo",
            "environment": "dev",
            "data_dir": str(platform.root),
            "port_base": platform.base,
            "signers": [{"name": "r.holm@demo.example", "role": "risk"}],
        },
        "governance": {
            "use_case": {
                "id": "credit-scoring",
                "purpose": "Estimate the probability of default.",
                "risk_class": "high",
                "owner": "o.lind@demo.example",
                "deputy": "d.berg@demo.example",
                "risk_approver": "r.holm@demo.example",
            },
            "data": [{"name": "applications", "contract": "/srv/credit.odcs.yaml", "owner": "p.ek@demo.example"}],
        },
        "registry": {"default_model": "credit"},
        "pipelines": {"pipelines": [{"name": "credit", "definition": "/srv/pipeline.yaml", "approval_gate": "risk"}]},
        "monitoring": {"signals": "/srv/signals.yaml", "alert_owner": "o.lind@demo.example"},
        "feature_store": {},
    }
