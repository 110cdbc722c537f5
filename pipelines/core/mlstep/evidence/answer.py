"""The links of the answer itself: prediction, input and truth."""

from datetime import datetime
from pathlib import Path
from typing import Any

from mlstep import store, truths
from mlstep.canonical import read_json
from mlstep.evidence.links import Link, absent, broken, judged, short
from mlstep.ids import id_time
from mlstep.platform import Platform

# An identifier is made when a request arrives, the record's time when it is written.
LONGEST_ANSWER_SECONDS = 120


def prediction(platform: Platform, record: dict[str, Any]) -> Link:
    """The record itself: complete, and written when its identifier was made."""
    problems = []
    made = id_time(record["request_id"])
    written = datetime.fromisoformat(record["time"])
    if made is None:
        problems.append("its identifier holds no time")
    elif abs((written - made).total_seconds()) > LONGEST_ANSWER_SECONDS:
        problems.append(
            f"its identifier was made at {made:%Y-%m-%d %H:%M:%S}, the record says {written:%Y-%m-%d %H:%M:%S}"
        )
    foundation = platform.stage("foundation")
    service = f"{foundation['workspace']}-{foundation['environment']}"
    fallback = f"fallback {record['fallback_reason'] or 'yes'}" if record["fallback"] else "fallback no"
    score = "no score" if record["score"] is None else f"{record['score']:.3f}"
    detail = (
        f"{written:%Y-%m-%d %H:%M:%SZ}  {score}  {record['decision']}   "
        f"service {service}, latency {record['latency_ms']:.1f} ms, {fallback}"
    )
    facts = {name: value for name, value in record.items() if name != "features"}
    return judged("prediction", detail, facts, problems)


def inputs(root: Path, record: dict[str, Any]) -> Link:
    """What was asked: the fields, under the contract that the model was trained with."""
    fields, schema = record["features"], record.get("schema")
    facts = {"features": fields, "schema": schema}
    if not record["model_digest"]:
        return absent("input", f"{len(fields)} fields, no model and so no schema", **facts)
    try:
        model = read_json(store.folder(root, record["model_digest"]) / "model.json")
    except (OSError, ValueError) as error:
        return broken("input", f"{len(fields)} fields; the model's description cannot be read ({error})", **facts)
    contract = model["contract"]
    known = {feature["name"] for feature in model["features"]}
    problems = []
    if schema != contract["sha256"]:
        problems.append(f"the record names schema {short(schema)}, the model's contract is {short(contract['sha256'])}")
    if not record["fallback"] and known - fields.keys():
        problems.append(f"fields missing in the record: {', '.join(sorted(known - fields.keys()))}")
    detail = f"{len(fields)} fields, schema {contract['name']} v{contract['version']} (sha256 {short(schema)})"
    return judged("input", detail, {**facts, "contract": contract}, problems)


def truth(root: Path, record: dict[str, Any]) -> Link:
    """What really happened, if that is known by now."""
    rows = truths.read(root, record["model"])
    found = [] if rows.is_empty() else rows.filter(rows["request_id"] == record["request_id"]).to_dicts()
    if not found:
        return absent("truth", "not known yet")
    known = found[0]
    facts = {
        "outcome": known["outcome"],
        "observed_at": known["observed_at"].isoformat(),
        "received": known["received"].isoformat(),
    }
    problems = []
    if known["observed_at"] < datetime.fromisoformat(record["time"]):
        problems.append("it was observed before the answer was given")
    return judged("truth", f"{known['outcome']} ({known['observed_at']:%Y-%m-%d})", facts, problems)
