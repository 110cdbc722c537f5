"""The whole chain behind one answer, link by link."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mlstep import predictions
from mlstep.canonical import read_json
from mlstep.errors import StrataError
from mlstep.evidence import answer, champion, gate, lineage
from mlstep.evidence.links import Link, absent, broken
from mlstep.ids import id_time
from mlstep.platform import Platform

BROKEN_EXIT_CODE = 3


@dataclass(frozen=True)
class Trace:
    """Everything behind one answer, from the answer back to the data."""

    request_id: str
    links: list[Link]

    @property
    def intact(self) -> bool:
        """Whether no link is broken."""
        return all(link.state != "broken" for link in self.links)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {"request_id": self.request_id, "intact": self.intact, "links": [asdict(link) for link in self.links]}


def trace(platform: Platform, request_id: str) -> Trace:
    """Follow and verify every link behind one answer.

    Raises:
        StrataError: no such answer in the log.
    """
    record = predictions.find(platform.root, request_id)
    if record is None:
        raise StrataError(
            f"{request_id}: no such answer in the prediction log of {platform.root}", _hint(platform, request_id)
        )
    links = [
        answer.prediction(platform, record),
        answer.inputs(platform.root, record),
        answer.truth(platform.root, record),
    ]
    if not record["model_digest"]:
        reason = "no model answered: the defined fallback did"
        return Trace(request_id, [*links, *(absent(name, reason) for name in _BEHIND_A_MODEL)])
    return Trace(request_id, [*links, *_behind_model(platform, record)])


_BEHIND_A_MODEL = ("model", "champion", "statement", "author", "data", "code", "run", "gate")


def _behind_model(platform: Platform, record: dict[str, Any]) -> list[Link]:
    bytes_link = champion.model(platform.root, record)
    champion_link, reign = champion.champion(platform, record)
    if reign is None:
        reason = "cannot be found without the champion's entry in the history"
        return [bytes_link, champion_link, *(broken(name, reason) for name in _BEHIND_A_MODEL[2:])]
    entry = reign.promotion
    run = lineage.read(platform.root, entry.pipeline, entry.run)
    return [
        bytes_link,
        champion_link,
        champion.approval(platform, reign),
        champion.author(*_candidate(run), reign),
        *_from_run(platform, run, record["model_digest"]),
        lineage.run_link(run, entry.pipeline, entry.run),
        gate.gate_link(platform, run, entry),
    ]


def _from_run(platform: Platform, run: lineage.Lineage | None, digest: str) -> list[Link]:
    if run is None:
        return [broken(name, "the run's folder is gone") for name in ("data", "code")]
    return [lineage.data_link(platform, run, digest), lineage.code_link(run, digest)]


def _candidate(run: lineage.Lineage | None) -> tuple[dict[str, Any] | None, str | None]:
    """What the run registered, and why its bytes do not match their manifest, if so."""
    registered = None if run is None else run.first("register")
    if registered is None:
        return None, None
    return read_json(registered.folder / "candidate.json"), registered.problem


def _hint(platform: Platform, request_id: str) -> str:
    made = id_time(request_id)
    if made is None:
        return "an identifier has 26 letters and digits and comes in the answer's `request_id`"
    days = platform.stage("governance").get("log_retention_days") if platform.has("governance") else None
    kept = f"answers are kept {days} days; " if days else ""
    return f"{kept}the identifier was made at {_day(made)}; is this the right --root?"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"
