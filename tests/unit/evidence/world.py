"""A small bank: a platform folder in which a model was trained, judged, signed, promoted, and has answered.

Everything is written by the writers of the run-time plane: step runner, store, statement, history, truths.
"""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mlstep import history, predictions, statement, store, truths
from mlstep.canonical import dumps, iso, pretty, read_json, write_atomic
from mlstep.history import Entry
from mlstep.ids import new_id
from mlstep.platform import Platform, load
from mlstep.statement import SignedStatement, Statement
from mlstep.step import Context, NoConfig, StepResult, run_step
from tests.unit.features.ingested import CONTRACT, rows

AUTHOR, APPROVER, OWNER = "j.ek@bank.example", "m.berg@bank.example", "p.holm@bank.example"
POLICY_DIGEST = "a" * 64
CLOCK = datetime.fromisoformat("2026-02-20T06:00:00+00:00")
Write = Callable[[Path], None]


class World:
    """A platform folder and the acts that fill it, each a minute after the one before."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.clock = CLOCK
        self.monkeypatch = monkeypatch
        self.contract = root / "applications.odcs.yaml"
        self.tick()
        (root / "platform").mkdir(parents=True)
        self.contract.write_text(CONTRACT, encoding="utf-8")
        self._stages()

    @property
    def platform(self) -> Platform:
        """The platform as the run-time plane reads it."""
        return load(self.root)

    def tick(self, **span: float) -> datetime:
        """Let time pass, a minute by default."""
        self.clock += timedelta(**(span or {"minutes": 1}))
        self.monkeypatch.setenv("STRATA_NOW", self.clock.isoformat())
        return self.clock

    def write_stage(self, name: str, **content: Any) -> None:
        """Write one stage's contract."""
        write_atomic(self.root / "platform" / f"{name}.json", pretty({"contract_version": 1, **content}))

    def train(self, run: str, seed: int = 1) -> Path:
        """One run from ingest to gate; returns its folder."""
        folder = self.root / "runs" / "credit" / run
        frame = rows(300, 300)
        data = self.step(
            folder,
            "ingest",
            {"contract": self.contract},
            {"data": lambda out: frame.write_parquet(out / "data.parquet")},
            300,
        )
        seen = {"data": data["data"], "contract": self.contract}
        judges = {name: self.step(folder, name, seen, {"report": _report(name)}) for name in ("validate", "pii")}
        parts = self.step(
            folder, "split", seen, {name: _parquet(frame[slice_]) for name, slice_ in _PARTS.items()}, 100
        )
        trained = self.step(
            folder,
            "train",
            {"train": parts["train"], "valid": parts["valid"], "contract": self.contract},
            {"model": lambda out: self._model(out, seed), "trials": _report("trials")},
        )
        digest = read_json(trained["model"] / "manifest.json")["digest"]
        candidate = {
            "model": "credit",
            "version": seed,
            "digest": digest,
            "run": run,
            "mlflow_version": str(seed),
            "mlflow_run_id": f"mlf{seed}",
            "author": AUTHOR,
            "data": {},
        }
        reports = {name: made["report"] for name, made in judges.items()}
        registered = self.step(
            folder,
            "register",
            {"model": trained["model"], **reports},
            {"candidate": _json("candidate.json", candidate)},
        )
        rules = [
            {"id": "evaluate.auc", "found": 0.742, "limit": ">= 0.70", "verdict": "pass"},
            {"id": "pii.findings", "found": 0, "limit": "== 0", "verdict": "pass"},
        ]
        evidence = {"decision": "pass", "policy_digest": POLICY_DIGEST, "rules": rules}
        self.step(
            folder,
            "gate",
            {"candidate": registered["candidate"], **reports},
            {"evidence": _json("evidence.json", evidence)},
        )
        return folder

    def step(
        self, folder: Path, name: str, inputs: Mapping[str, Path], writers: Mapping[str, Write], rows: int | None = None
    ) -> dict[str, Path]:
        """Run one step that writes what it is told, through the step runner."""
        self.tick()
        outputs = {output: folder / name / output for output in writers}
        counts = dict.fromkeys(writers, rows) if rows is not None else {}
        run_step(
            _scripted(name, tuple(inputs), writers, counts),
            {},
            inputs,
            outputs,
            folder / name / "result.json",
            folder.name,
        )
        return outputs

    def promote(self, run: Path, **changes: Any) -> Entry:
        """Store, sign and promote a run's model; `changes` falsify the statement before it is signed."""
        self.tick()
        digest = store.put(self.root, run / "train" / "model")
        evidence = read_json(run / "gate" / "evidence" / "manifest.json")["digest"]
        version = read_json(run / "register" / "candidate" / "candidate.json")["version"]
        expires = iso(self.clock + timedelta(days=7))
        said = Statement(
            "promote",
            "credit",
            version,
            digest,
            evidence,
            POLICY_DIGEST,
            AUTHOR,
            APPROVER,
            "risk",
            "dev",
            iso(self.clock),
            expires,
            "better and fair",
        )
        signed: SignedStatement = statement.sign(Statement(**{**vars(said), **changes}), self.root / "secrets" / "risk")
        statement.write(signed, self.root)
        draft = Entry(
            0,
            "",
            "",
            "credit",
            version,
            digest,
            "promote",
            APPROVER,
            "better and fair",
            AUTHOR,
            evidence,
            POLICY_DIGEST,
            run.name,
            "credit",
            signed.digest,
        )
        return history.append(self.platform, draft)

    def answer(self, champion: Entry | None, **changes: Any) -> str:
        """Log one answer as the service does; returns its request_id."""
        self.tick()
        request_id = new_id(self.clock, bytes(9) + bytes([self.clock.minute]))
        features = {"income": 1200.0, "age": 44, "purpose": "car", "home_owner": True}
        served = (
            {"version": champion.version, "model_digest": champion.model_digest, "score": 0.083, "decision": "approve"}
            if champion
            else {"version": None, "model_digest": None, "score": None, "decision": "refer"}
        )
        record = {
            "request_id": request_id,
            "time": iso(self.clock),
            "model": "credit",
            "role": "champion",
            "latency_ms": 3.9,
            "fallback": champion is None,
            "fallback_reason": None if champion else "no_champion",
            "source": "api",
            "features": features,
            "schema": read_json(store.folder(self.root, champion.model_digest) / "model.json")["contract"]["sha256"]
            if champion
            else None,
            **served,
            **changes,
        }
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

    def _stages(self) -> None:
        public, private = _key(self.root / "secrets" / "risk")
        promote_public, promote_private = _key(self.root / "secrets" / "promote")
        signer = {"name": APPROVER, "role": "risk", "public_key": public, "key_file": private, "demo": True}
        names = {
            "workspace": "credit",
            "environment": "dev",
            "target": "local",
            "root": str(self.root),
            "ports": {"base": 25100},
        }
        promote_key = {"public_key": promote_public, "key_file": promote_private}
        self.write_stage(
            "foundation",
            **names,
            identities={},
            signers=[signer],
            promote_key=promote_key,
            log_dir=str(self.root / "logs"),
        )
        case = {
            "id": "credit-scoring",
            "purpose": "Decide on loans",
            "risk_class": "high",
            "owner": "a.lind@bank.example",
            "deputy": "b.ros@bank.example",
            "risk_approver": APPROVER,
        }
        data = {
            "name": "applications",
            "contract": str(self.contract),
            "source": "synthetic:credit",
            "owner": OWNER,
            "freshness_hours": 24,
        }
        self.write_stage("governance", use_case=case, data=[data], log_retention_days=183)

    def _model(self, out: Path, seed: int) -> None:
        from mlstep.canonical import digest_file

        kinds = {"income": "number", "age": "number", "purpose": "category", "home_owner": "boolean"}
        contract = {"name": "applications", "version": "1.0.0", "sha256": digest_file(self.contract)}
        features = [{"name": name, "kind": kind} for name, kind in kinds.items()]
        card = {
            "name": "credit",
            "seed": seed,
            "features": features,
            "target": "defaulted",
            "positive": "true",
            "contract": contract,
        }
        write_atomic(out / "model.json", pretty(card))
        write_atomic(out / "model.skops", b"weights" + bytes([seed]))


_PARTS = {"train": slice(0, 100), "valid": slice(100, 200), "test": slice(200, 300)}


def _key(file: Path) -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    write_atomic(file, base64.b64encode(key.private_bytes_raw()).decode() + "\n", 0o600)
    return base64.b64encode(key.public_key().public_bytes_raw()).decode(), str(file)


def _json(name: str, content: Any) -> Write:
    return lambda out: write_atomic(out / name, json.dumps(content, sort_keys=True))


def _report(step: str) -> Write:
    return _json("report.json", {"step": step})


def _parquet(frame: Any) -> Write:
    return lambda out: frame.write_parquet(out / "data.parquet")


def _scripted(step: str, takes: tuple[str, ...], writers: Mapping[str, Write], counts: dict[str, int]) -> Any:
    class Scripted:
        name: ClassVar[str] = step
        config_type: ClassVar[type] = NoConfig
        inputs: ClassVar[tuple[str, ...]] = takes
        optional_inputs: ClassVar[tuple[str, ...]] = ()
        outputs: ClassVar[tuple[str, ...]] = tuple(writers)

        def run(self, ctx: Context[NoConfig]) -> StepResult:
            """Write each output."""
            for output, write in writers.items():
                write(ctx.outputs[output])
            return StepResult("pass", rows=counts)

    return Scripted()
