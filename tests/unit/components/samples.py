"""Good arguments of every stage, as small as they may be."""

from collections.abc import Mapping
from typing import Any

HOST: Mapping[str, Any] = {"root": "/srv/strata", "python": "/srv/env/bin/python", "port_base": 25100, "digest": "d"}

SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "foundation": {
        "workspace": "demo",
        "environment": "dev",
        "data_dir": "/srv/strata",
        "signers": [{"name": "r.holm@demo.example", "role": "risk"}],
    },
    "governance": {
        "host": HOST,
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
    "registry": {"host": HOST, "default_model": "credit"},
    "pipelines": {
        "host": HOST,
        "pipelines": [
            {"name": "credit", "definition": "/srv/pipeline.yaml", "schedule": "0 6 * * *", "approval_gate": "risk"}
        ],
    },
    "monitoring": {"host": HOST, "signals": "/srv/signals.yaml", "alert_owner": "o.lind@demo.example"},
    "feature_store": {"host": HOST},
}
