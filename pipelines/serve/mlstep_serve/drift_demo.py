"""`mlstep drift`: let the world change, and show step by step what the platform makes of it."""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlstep import history, platform, store
from mlstep.canonical import iso, now, pretty, write_atomic
from mlstep.data import synthetic
from mlstep.errors import ConfigError, RefusedError, UnavailableError
from mlstep.model import Description, load_description
from mlstep.monitoring import signals
from mlstep_serve.drift_watch import Watch

if TYPE_CHECKING:
    import httpx
    import polars as pl

_BLOCK = 250
_DRIFTED_WINDOWS = 3
Tell = Callable[[str, str, dict[str, Any]], None]


@dataclass(frozen=True)
class Demo:
    """What the demonstration works on."""

    facts: platform.Platform
    model: str
    champion: history.Entry
    description: Description
    source: str
    dataset: str


def main(argv: list[str]) -> int:
    """Send undrifted, then drifted applications, hand in their truth, and watch until retraining ends."""
    parser = argparse.ArgumentParser(
        prog="mlstep drift",
        epilog="example: mlstep drift --root ~/.local/share/strata/demo-dev --rows 5000 --shift 1.0",
    )
    parser.add_argument("--root", type=Path, required=True, help="the platform folder")
    parser.add_argument("--model", help="default: the platform's default model")
    parser.add_argument("--rows", type=int, default=5000, help="applications to send (default 5000)")
    parser.add_argument(
        "--shift", type=float, default=1.0, help="income down and debt ratio up, in standard deviations (default 1.0)"
    )
    parser.add_argument("--wait", type=float, default=300.0, help="longest time to watch, in seconds (default 300)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--restore", action="store_true", help="let retraining read the record's source again, and stop"
    )
    options = parser.parse_args(argv)
    facts = platform.load(options.root)
    if options.restore:
        print("restored" if _restore(facts) else "nothing to restore")
        return 0
    tell = _teller(options.json)
    demo = prepare(facts, options.model or str(facts.stage("registry")["default_model"]))
    watch = Watch(facts, demo.model, demo.champion, now(), tell)
    send(demo, options.rows, options.shift, tell)
    return watch.until_done(options.wait)


def prepare(facts: platform.Platform, model: str) -> Demo:
    """Check that the demonstration can work here.

    Raises:
        RefusedError: no champion yet.
        ConfigError: the platform has no monitors, or the data is not synthetic.
    """
    facts.stage("monitoring")
    champion = history.current(facts, model)
    if champion is None:
        raise RefusedError(f"{model} has no champion", "run the pipeline and sign a candidate first")
    data = facts.stage("governance")["data"][0]
    source = str(data.get("source") or "")
    if not source.startswith(synthetic.SCHEME):
        raise ConfigError(
            f"the data of this platform comes from {source or 'nowhere'}",
            "drift can only be made up for a synthetic: source",
        )
    description = load_description(store.verify(facts.root, champion.model_digest))
    return Demo(facts, model, champion, description, source, str(data["name"]))


def send(demo: Demo, rows: int, shift: float, tell: Tell) -> None:
    """Ask the service about undrifted rows, change the world, ask about drifted ones; hand in the truth of all.

    Raises:
        ConfigError: too few rows for an alert.
        UnavailableError: the service or the receiver does not answer.
    """
    window = signals.load(Path(demo.facts.stage("monitoring")["signals"])).windows["predictions"].rows
    drifted = min(rows, _DRIFTED_WINDOWS * window)
    if rows < _DRIFTED_WINDOWS * window:
        raise ConfigError(
            f"--rows {rows} fills {rows // window} windows of {window}",
            f"an alert needs {_DRIFTED_WINDOWS * window} rows or more",
        )
    seed = int(now().timestamp())
    _ask(demo, synthetic.generate(rows - drifted, seed), "as in training", tell)
    _change_world(demo, shift, seed, tell)
    _ask(demo, synthetic.generate(drifted, seed + 1, drift=shift), f"drifted by {shift:g} standard deviations", tell)


def _change_world(demo: Demo, shift: float, seed: int, tell: Tell) -> None:
    """From here on new source data is drifted too: a retraining must meet the world that the model meets."""
    source = synthetic.with_values(demo.source, drift=shift, seed=seed + 2)
    write_atomic(_source_file(demo.facts, demo.dataset), pretty({"source": source}))
    tell(
        "world",
        f"the world changes: income down, debt ratio up by {shift:g} standard deviations; new training rows too",
        {"source": source},
    )


def _ask(demo: Demo, applications: "pl.DataFrame", kind: str, tell: Tell) -> None:
    import httpx

    registry, monitoring = demo.facts.stage("registry"), demo.facts.stage("monitoring")
    url = f"{registry['prediction_service']}/models/{demo.model}/predict"
    truth_url = monitoring["alert_route"]["receiver"].removesuffix("/alerts") + "/truth"
    token = demo.facts.identity("pipeline")[1]
    names = [feature.name for feature in demo.description.features]
    declined = fallbacks = answered = 0
    # The services are on this machine: a proxy of the environment must not be asked for them.
    with httpx.Client(timeout=30.0, trust_env=False) as client:
        for block in applications.iter_slices(_BLOCK):
            body = {"rows": block.select(names).to_dicts()}
            answers = _post(client, url, body, None)["predictions"]
            _post(client, truth_url, {"records": _truth(demo, block, answers)}, token)
            answered += len(answers)
            fallbacks += sum(answer["fallback"] for answer in answers)
            declined += sum(answer["decision"] != demo.description.decisions["favourable"] for answer in answers)
    share, good = declined / max(1, answered), demo.description.decisions["favourable"]
    facts = {"rows": answered, "fallbacks": fallbacks, "not_favourable": share, "kind": kind}
    tell(
        "sent",
        f"{answered:,} applications {kind}: {good} for {1 - share:.1%}, {fallbacks} fallbacks; truth handed in",
        facts,
    )


def _truth(demo: Demo, block: "pl.DataFrame", answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups = [name for name in demo.description.groups if name in block.columns]
    observed = iso(now())
    return [
        {
            "request_id": answer["request_id"],
            "outcome": row[demo.description.target],
            "observed_at": observed,
            "groups": {name: str(row[name]) for name in groups},
        }
        for answer, row in zip(answers, block.iter_rows(named=True), strict=True)
    ]


def _post(client: "httpx.Client", url: str, body: dict[str, Any], token: str | None) -> dict[str, Any]:
    import httpx

    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        answer = client.post(url, json=body, headers=headers)
    except httpx.HTTPError as error:
        raise UnavailableError(
            f"{url}: {type(error).__name__}", "`strata status` says what runs; `strata up` repairs it"
        ) from None
    if answer.status_code >= 400:
        raise ConfigError(
            f"{url} answered {answer.status_code}: {answer.text[:300]}", "see the service's log with `strata logs`"
        )
    content: dict[str, Any] = answer.json()
    return content


def _source_file(facts: platform.Platform, dataset: str) -> Path:
    return facts.root / "sources" / f"{dataset}.json"


def _restore(facts: platform.Platform) -> bool:
    file = _source_file(facts, str(facts.stage("governance")["data"][0]["name"]))
    there = file.is_file()
    file.unlink(missing_ok=True)
    return there


def _teller(as_json: bool) -> Tell:
    begun = time.monotonic()

    def tell(event: str, text: str, facts: dict[str, Any]) -> None:
        if as_json:
            print(
                json.dumps(
                    {"event": event, "time": iso(now()), "text": text, **facts}, sort_keys=True, ensure_ascii=False
                ),
                flush=True,
            )
        else:
            print(f"{time.monotonic() - begun:6.1f} s  {event:<10} {text}", flush=True)

    return tell
