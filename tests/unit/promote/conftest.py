"""A platform folder with one finished run in it, made with the real manifests, store and keys."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlstep import history, store
from mlstep.canonical import digest_file, digest_json, pretty
from mlstep.gate_policy import REQUIRED_REPORTS
from mlstep.manifest import Origin, describe_input, write_manifest
from mlstep.platform import Platform, load
from tests.unit.framework.conftest import platform

__all__ = ["platform"]

AUTHOR = "j.ek@demo.example"


@dataclass(frozen=True)
class Made:
    """What a run left behind."""

    platform: Platform
    folder: Path
    digest: str

    def break_file(self, path: Path, text: str) -> None:
        """Overwrite a file, also a read-only one."""
        path.chmod(0o644)
        path.write_text(text, encoding="utf-8")


def make_run(
    where: Platform,
    version: int = 1,
    run: str = "01RUN",
    rows: str = "rows",
    fairness_report: str = "{}",
    **decisions: str,
) -> Made:
    """A run whose manifests all verify; `pii="fail"` makes a step red, `fairness="absent"` leaves its report away."""
    folder = where.root / "runs" / "credit" / run
    policy = where.root / "policy.yaml"
    policy.write_text("rules: []\n", encoding="utf-8")
    data = _step(folder, "ingest", "data", {"data.txt": rows}, {})
    model = _step(folder, "train", "model", {"model.json": json.dumps({"seed": version})}, {"train": data})
    reports = {
        name: _step(folder, name, "report", {"report.json": text}, {"model": model}, decisions.get(name, "pass"))
        for name, text in {**dict.fromkeys(REQUIRED_REPORTS, "{}"), "fairness": fairness_report}.items()
        if decisions.get(name) != "absent"
    }
    digest = store.put(where.root, model)
    content = {"model": "credit", "version": version, "digest": digest, "author": AUTHOR, "run": run}
    candidate = _step(folder, "register", "candidate", {"candidate.json": pretty(content)}, {"model": model})
    if decisions.get("gate") != "absent":
        rules = [{"rule": name, "verdict": decisions.get("gate", "pass")} for name in reports]
        champion = history.current(where, "credit")
        evidence = {
            "decision": decisions.get("gate", "pass"),
            "rules": rules,
            "policy_digest": digest_file(policy),
            "champion": None if champion is None else {"digest": champion.model_digest},
        }
        inputs = {"candidate": candidate, "policy": policy, **reports}
        _step(folder, "gate", "evidence", {"evidence.json": pretty(evidence)}, inputs, decisions.get("gate", "pass"))
    return Made(where, folder, digest)


def _step(
    folder: Path, step: str, output: str, files: dict[str, str], inputs: dict[str, Path], decision: str = "pass"
) -> Path:
    target = folder / step / output
    target.mkdir(parents=True)
    for name, text in files.items():
        (target / name).write_text(text, encoding="utf-8")
    described = {name: describe_input(path) for name, path in inputs.items()}
    origin = Origin(step, folder.name, described, digest_json({}), "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
    digest = write_manifest(target, output, origin, None, None)
    reasons = [] if decision == "pass" else [f"{step} is not good enough"]
    result: dict[str, Any] = {"step": step, "decision": decision, "reasons": reasons, "outputs": {output: digest}}
    (target.parent / "result.json").write_text(pretty(result), encoding="utf-8")
    return target


@pytest.fixture
def where(platform: Platform) -> Platform:
    """A platform with a registry that does not answer: nothing here needs MLflow."""
    registry = {"contract_version": 1, "tracking_uri": "http://127.0.0.1:9"}
    (platform.root / "platform" / "registry.json").write_text(json.dumps(registry), encoding="utf-8")
    token = platform.root / "secrets" / "promote-token"
    token.write_text("token-of-promote\n", encoding="utf-8")
    foundation = platform.root / "platform" / "foundation.json"
    content = json.loads(foundation.read_text(encoding="utf-8"))
    content["identities"] = {"promote": {"user": "promote", "token_file": str(token)}}
    foundation.write_text(json.dumps(content), encoding="utf-8")
    return load(platform.root)
