"""A small bank: a platform folder in which a model was trained, judged, signed, promoted, and has answered.

Everything is written by the writers of the run-time plane: step runner, store, statement, history, truths.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlstep import history, predictions, statement, store, truths
from mlstep.canonical import digest_file, dumps, iso, pretty, read_json, write_atomic
from mlstep.gate_policy import Finding
from mlstep.history import Entry
from mlstep.ids import new_id
from mlstep.platform import Platform, load
from mlstep.statement import Statement
from tests.unit.evidence.scripted import Write, json_file, parquet, play, report
from tests.unit.evidence.stages import APPROVER, AUTHOR, found_bank
from tests.unit.features.ingested import CONTRACT, rows

POLICY_DIGEST = "a" * 64
CLOCK = datetime.fromisoformat("2026-02-20T06:00:00+00:00")
_AUC = {"value": 0.742, "low": 0.735, "high": 0.749}
RULES = [
    Finding("evaluate.auc", "pass", _AUC, 0.7, "must have a lower bound of 0.7 or more", "", "").as_json(),
    Finding("pii.personal_data", "pass", "all right", None, "must have a passing report", "", "").as_json(),
]
_KINDS = {"income": "number", "age": "number", "purpose": "category", "home_owner": "boolean"}


class World:
    """A platform folder and the acts that fill it, each a minute after the one before.

    Attributes:
        reports: step -> report of steps between train and register; none unless a test adds them.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.clock = CLOCK
        self.monkeypatch = monkeypatch
        self.contract = root / "applications.odcs.yaml"
        self.reports: dict[str, Any] = {}
        self.tick()
        write_atomic(self.contract, CONTRACT)
        found_bank(root, self.contract)

    @property
    def platform(self) -> Platform:
        """The platform as the run-time plane reads it."""
        return load(self.root)

    def tick(self, **span: float) -> datetime:
        """Let time pass, a minute by default."""
        self.clock += timedelta(**(span or {"minutes": 1}))
        self.monkeypatch.setenv("STRATA_NOW", self.clock.isoformat())
        return self.clock

    def train(self, run: str, version: int = 1) -> Path:
        """One run from ingest to gate; returns its folder."""
        folder = self.root / "runs" / "credit" / run
        frame, contract = rows(300, 300), {"contract": self.contract}
        data = self.step(folder, "ingest", contract, {"data": parquet(frame)}, 300)
        reports = {name: self._judge(folder, name, {**data, **contract}) for name in ("validate", "pii")}
        parts = {"train": frame[:100], "valid": frame[100:200], "test": frame[200:]}
        split = self.step(
            folder, "split", {**data, **contract}, {name: parquet(part) for name, part in parts.items()}, 100
        )
        seen = {"train": split["train"], "valid": split["valid"], **contract}
        trained = self.step(
            folder, "train", seen, {"model": lambda out: self._model(out, version), "trials": report({})}
        )
        model = {"model": trained["model"]}
        reports |= {
            name: self._judge(folder, name, {**model, "test": split["test"]})
            for name in self.reports
            if name not in reports
        }
        candidate = json_file("candidate.json", _candidate(folder, version))
        registered = self.step(folder, "register", {**model, **reports}, {"candidate": candidate})
        evidence = json_file("evidence.json", {"decision": "pass", "policy_digest": POLICY_DIGEST, "rules": RULES})
        self.step(folder, "gate", {**registered, **reports}, {"evidence": evidence})
        return folder

    def step(
        self, folder: Path, name: str, inputs: Mapping[str, Path], writers: Mapping[str, Write], rows: int | None = None
    ) -> dict[str, Path]:
        """Run one step that writes what it is told."""
        self.tick()
        return play(folder, name, inputs, writers, rows)

    def promote(self, run: Path, **changes: Any) -> Entry:
        """Store, sign and promote a run's model; `changes` falsify the statement before it is signed."""
        self.tick()
        digest = store.put(self.root, run / "train" / "model")
        evidence = read_json(run / "gate" / "evidence" / "manifest.json")["digest"]
        version = read_json(run / "register" / "candidate" / "candidate.json")["version"]
        facts: dict[str, Any] = {"model": "credit", "version": version, "model_digest": digest, "author": AUTHOR}
        facts |= {"evidence_digest": evidence, "policy_digest": POLICY_DIGEST, "reason": "better and fair"}
        dates = {"issued": iso(self.clock), "expires": iso(self.clock + timedelta(days=7))}
        words: dict[str, Any] = {"kind": "promote", "approver": APPROVER, "role": "risk", "environment": "dev"}
        signed = statement.sign(Statement(**{**words, **facts, **dates, **changes}), self.root / "secrets" / "risk")
        statement.write(signed, self.root)
        chain: dict[str, Any] = {"sequence": 0, "previous": "", "time": "", "kind": "promote", "by": APPROVER}
        origin: dict[str, Any] = {"run": run.name, "pipeline": "credit", "statement": signed.digest}
        return history.append(self.platform, Entry(**chain, **facts, **origin))

    def answer(self, champion: Entry | None, **changes: Any) -> str:
        """Log one answer as the service does; returns its request_id."""
        self.tick()
        request_id = new_id(self.clock, bytes(9) + bytes([self.clock.minute]))
        record: dict[str, Any] = {
            "request_id": request_id,
            "time": iso(self.clock),
            "model": "credit",
            "role": "champion",
        }
        record |= {"latency_ms": 3.9, "source": "api", "features": dict.fromkeys(_KINDS, 1.0)}
        record |= _served(self.root, champion) | changes
        log = predictions.wal_folder(self.root) / "champion-1.jsonl"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as stream:
            stream.write(dumps(record) + "\n")
        return request_id

    def learn(self, request_id: str, outcome: Any) -> None:
        """Hand in and sort the truth about an answer."""
        observed = iso(self.tick(days=1))
        truths.take(self.root, [{"request_id": request_id, "outcome": outcome, "observed_at": observed}])
        truths.sort_inbox(self.root)

    def _judge(self, folder: Path, name: str, inputs: Mapping[str, Path]) -> Path:
        return self.step(folder, name, inputs, {"report": report(self.reports.get(name, {"step": name}))})["report"]

    def _model(self, out: Path, seed: int) -> None:
        contract = {"name": "applications", "version": "1.0.0", "sha256": digest_file(self.contract)}
        features = [{"name": name, "kind": kind} for name, kind in _KINDS.items()]
        card = {"name": "credit", "seed": seed, "features": features, "target": "defaulted", "positive": "true"}
        write_atomic(out / "model.json", pretty({**card, "contract": contract}))
        write_atomic(out / "model.skops", b"weights" + bytes([seed]))


def _candidate(folder: Path, version: int) -> dict[str, Any]:
    digest = read_json(folder / "train" / "model" / "manifest.json")["digest"]
    facts = {"model": "credit", "version": version, "digest": digest, "author": AUTHOR}
    return {**facts, "run": folder.name, "mlflow_version": version, "mlflow_run_id": f"mlf{version}", "data": {}}


def _served(root: Path, champion: Entry | None) -> dict[str, Any]:
    """The fields of a record that depend on whether a model answered."""
    if champion is None:
        nobody = {"version": None, "model_digest": None, "score": None, "schema": None}
        return {**nobody, "decision": "refer", "fallback": True, "fallback_reason": "there is no champion"}
    card = read_json(store.folder(root, champion.model_digest) / "model.json")
    served = {"version": champion.version, "model_digest": champion.model_digest, "schema": card["contract"]["sha256"]}
    return {**served, "score": 0.083, "decision": "approve", "fallback": False, "fallback_reason": None}
