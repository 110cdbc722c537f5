"""The stages' contracts of a small bank, with real keys."""

import base64
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mlstep.canonical import pretty, write_atomic

AUTHOR, APPROVER, OWNER = "j.ek@bank.example", "m.berg@bank.example", "p.holm@bank.example"
SIGNALS = Path(__file__).parents[3] / "pipelines" / "signals.yaml"


def write_stage(folder: Path, name: str, **content: Any) -> None:
    """Write one stage's contract."""
    write_atomic(folder / "platform" / f"{name}.json", pretty({"contract_version": 1, **content}))


def found_bank(root: Path, contract: Path) -> None:
    """Stages foundation and governance: one risk signer with a demo key, one data set."""
    public, private = _key(root / "secrets" / "risk")
    promote_public, promote_private = _key(root / "secrets" / "promote")
    write_atomic(root / "secrets" / "audit", "the-audit-token\n", 0o600)
    write_stage(
        root,
        "foundation",
        workspace="credit",
        environment="dev",
        target="local",
        root=str(root),
        ports={"base": 25100},
        identities={"audit": {"user": "audit", "token_file": str(root / "secrets" / "audit")}},
        signers=[{"name": APPROVER, "role": "risk", "public_key": public, "key_file": private, "demo": True}],
        promote_key={"public_key": promote_public, "key_file": promote_private},
        log_dir=str(root / "logs"),
    )
    case = {"id": "credit-scoring", "purpose": "Decide on loans", "risk_class": "high"}
    people = {"owner": "a.lind@bank.example", "deputy": "b.ros@bank.example", "risk_approver": APPROVER}
    data = {"name": "applications", "contract": str(contract), "source": "synthetic:credit", "owner": OWNER}
    write_stage(
        root,
        "governance",
        use_case=case | people,
        data=[{**data, "freshness_hours": 24}],
        log_retention_days=183,
    )


def raise_to_four(root: Path, base: int) -> None:
    """Stages 1 to 4, with processes on ports from `base` on."""

    def url(offset: int) -> str:
        return f"http://127.0.0.1:{base + offset}"

    write_stage(
        root, "registry", tracking_uri=url(0), prediction_service=url(1), portal_uri=url(2), default_model="credit"
    )
    pipeline = {"name": "credit", "definition": "pipeline.yaml", "schedule": None, "approval_gate": True}
    write_stage(
        root, "pipelines", submit_reference=url(3) + "/runs", pipelines=[pipeline], catalog_uri=url(2) + "/catalog/"
    )
    route = {"receiver": url(5) + "/alerts", "owner": "a.lind@bank.example"}
    write_stage(root, "monitoring", signals=str(SIGNALS), alert_route=route, dashboard_uri=url(2) + "/monitoring/")
    write_stage(
        root, "feature_store", feature_server=url(9), guards={"cool_down_hours": 24, "maximum_runs_per_week": 2}
    )


def _key(file: Path) -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    write_atomic(file, base64.b64encode(key.private_bytes_raw()).decode() + "\n", 0o600)
    return base64.b64encode(key.public_key().public_bytes_raw()).decode(), str(file)
