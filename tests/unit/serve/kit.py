"""A platform folder with real keys, a real history and a small real model, for tests of serving and monitoring."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sklearn.ensemble import HistGradientBoostingClassifier

from mlstep import history, platform, store
from mlstep.canonical import pretty, write_atomic
from mlstep.model import Description, Feature
from mlstep_train import model_folder

MODEL = "credit"
SIGNALS = Path(__file__).parents[3] / "pipelines" / "signals.yaml"
FEATURES = (
    Feature("income", "number", 0.0, 200_000.0, (), False, False),
    Feature("age", "number", 18.0, 100.0, (), False, False),
    Feature("home", "category", None, None, ("own", "rent"), False, False),
    Feature("employed", "boolean", None, None, (), False, True),
)
GOOD = {"income": 40_000, "age": 40, "home": "own", "employed": True}


def make_platform(root: Path, port: int = 1) -> platform.Platform:
    """Write the contracts of all stages with fresh keys and tokens; the services are at `port` and after."""
    key = Ed25519PrivateKey.generate()
    raw = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    secret(root, "promote.key", base64.b64encode(raw).decode())
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    identities = {
        name: {"user": name, "token_file": str(secret(root, f"{name}.token", f"token-of-{name}"))}
        for name in ("pipeline", "serve", "promote", "develop", "audit")
    }
    owner = "owner@bank.example"
    receiver = f"http://127.0.0.1:{port}"
    stages: dict[str, dict[str, Any]] = {
        "foundation": {
            "workspace": "demo",
            "environment": "dev",
            "identities": identities,
            "signers": [],
            "promote_key": {"public_key": public, "key_file": str(root / "secrets" / "promote.key")},
            "root": str(root),
        },
        "governance": {
            "use_case": {"id": "credit", "owner": owner},
            "data": [{"name": "applications", "source": "synthetic:credit?rows=1000"}],
            "log_retention_days": 183,
        },
        "registry": {"default_model": MODEL, "prediction_service": f"http://127.0.0.1:{port}"},
        "pipelines": {
            "submit_reference": f"http://127.0.0.1:{port + 1}/runs",
            "pipelines": [{"name": MODEL, "approval_gate": "gate"}],
        },
        "monitoring": {
            "alert_route": {"receiver": f"{receiver}/alerts", "owner": owner},
            "signals": str(SIGNALS),
            "dashboard_uri": "http://127.0.0.1/monitoring/",
            "interval_seconds": 1,
            "log_retention_days": 183,
        },
        "feature_store": {
            "retrain_trigger": f"{receiver}/retrain",
            "guards": {"cool_down_hours": 24, "maximum_runs_per_week": 2},
        },
    }
    for name, content in stages.items():
        write_atomic(root / "platform" / f"{name}.json", pretty({"contract_version": 1, **content}))
    return platform.load(root)


def secret(root: Path, name: str, value: str) -> Path:
    """One secret in its file."""
    path = root / "secrets" / name
    write_atomic(path, value + "\n", 0o600)
    return path


def make_model(folder: Path, seed: int = 1, profile: dict[str, Any] | None = None, name: str = MODEL) -> Path:
    """Train a small model on 400 rows and write its folder."""
    rng = np.random.default_rng(seed)
    matrix = np.column_stack(
        [rng.uniform(0, 100_000, 400), rng.uniform(18, 80, 400), rng.integers(0, 2, 400), rng.integers(0, 2, 400)]
    )
    labels = (rng.uniform(size=400) < 1 / (1 + np.exp((matrix[:, 0] - 50_000) / 20_000))).astype(int)
    estimator = HistGradientBoostingClassifier(max_iter=20, max_depth=3, random_state=seed).fit(matrix, labels)
    description = Description(
        name=name,
        created="2026-01-01T00:00:00.000Z",
        seed=seed,
        algorithm="hist_gradient_boosting",
        encoding="codes",
        features=FEATURES,
        target="default",
        positive="1",
        groups=("region",),
        contract={"name": "applications", "version": "1.0.0", "sha256": "c" * 64},
        score={"minimum": 0.0, "maximum": 1.0},
        threshold=0.5,
        decisions={"below": "approve", "at_or_above": "decline", "favourable": "approve"},
        fallback={"score": None, "decision": "refer"},
        baseline="profile.json",
        metrics={"validation_auc": 0.72},
    )
    model_folder.write(folder, description, estimator, profile or {}, {})
    return folder


def promote(
    facts: platform.Platform, folder: Path, version: int, model: str = MODEL, kind: str = "promote"
) -> history.Entry:
    """Put a model folder into the store and make it champion, as the promote identity does."""
    digest = store.put(facts.root, folder)
    draft = history.Entry(
        0, "", "", model, version, digest, kind, "risk", "test", "author", "e" * 64, "p" * 64, "run", "credit", None
    )
    return history.append(facts, draft)
