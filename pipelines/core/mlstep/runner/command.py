"""`mlstep run`: run a pipeline, or resume one."""

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import Any

from mlstep.canonical import iso, now, pretty
from mlstep.errors import ConfigError
from mlstep.manifest import code_digest, git_commit
from mlstep.platform import Platform
from mlstep.runner.definition import read_pipeline
from mlstep.runner.display import Display
from mlstep.runner.engine import Engine
from mlstep.runner.identifiers import RANDOM_BYTES, is_run_id, make_run_id
from mlstep.runner.lock import hold
from mlstep.runner.plan import PlannedStep, Start, from_record, make_plan, open_platform, to_record
from mlstep.runner.records import find_run, mark_vanished, read_run, run_folder, write_run
from mlstep.runner.refresh import refresh_features

RUN_VERSION = 1
EXIT_CODES = {"passed": 0, "failed": 1, "crashed": 70, "stopped": 130}


def main(argv: list[str]) -> int:
    """`mlstep run PIPELINE --root R …`: 0 passed, 1 a decision is fail, 70 crashed, 130 stopped, 2 wrong, 75 busy."""
    options = _parser().parse_args(argv)
    root = Path(options.root).expanduser().resolve()
    platform = open_platform(root)
    if not (options.resume or options.pipeline):
        raise ConfigError("mlstep run: no pipeline given", "write `mlstep run PIPELINE --root ROOT`, or --resume RUN")
    engine = _resume(options, root, platform) if options.resume else _begin(options, root, platform)
    # The pipeline's lock is free again: the next run need not wait for what follows this one.
    state, record = engine.record["state"], engine.record
    if state == "passed" and not record["until"]:
        refreshed = refresh_features(platform, engine.folder)
        if refreshed is not None:
            engine.tell("features-refreshed", **refreshed)
    if options.json:
        print(pretty(record), end="")
    return EXIT_CODES[state]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mlstep run",
        description="Run a pipeline on this machine, each step in a process of its own.",
        epilog="example: mlstep run credit --root ROOT --parameter source=rows.csv --parameter contract=rows.odcs.yaml",
    )
    parser.add_argument("pipeline", nargs="?", help="a pipeline.yaml, or the name of one of the platform's pipelines")
    parser.add_argument(
        "--root", required=True, help="the platform folder; any folder for a pipeline that needs no platform"
    )
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")
    parser.add_argument("--until", metavar="STEP", help="run this step and what it needs")
    parser.add_argument(
        "--resume", metavar="RUN", help="a run's name, or `last`: keep the steps that verify, run the rest"
    )
    parser.add_argument("--author", default=None, help="who is responsible for this run; default: the user")
    parser.add_argument("--reason", default="", help="why it runs")
    parser.add_argument("--model", help="name of the model; default: the contract's")
    parser.add_argument("--run-id", help="a run's name made beforehand")
    parser.add_argument(
        "--retry-pause", type=float, default=1.0, metavar="SECONDS", help="before the first retry; doubles (default 1)"
    )
    parser.add_argument("--events", action="store_true", help="print events as JSON lines")
    parser.add_argument("--json", action="store_true", help="print the run's record at the end")
    return parser


def _begin(options: argparse.Namespace, root: Path, platform: Platform | None) -> Engine:
    pipeline = read_pipeline(_definition(options.pipeline, platform))
    run = options.run_id or make_run_id(now(), os.urandom(RANDOM_BYTES))
    if not is_run_id(run):
        raise ConfigError(f"--run-id {run}: not the form of a run's name", "leave it away, and one is made")
    start = Start(
        root=root,
        run=run,
        author=_author(options.author),
        parameters=_parameters(options.parameter),
        model=options.model,
        until=options.until,
        reason=options.reason,
    )
    folder = run_folder(root, pipeline.name, run)
    with hold(folder.parent, _who(run, start.author)):
        mark_vanished(root)
        if folder.exists():
            raise ConfigError(f"run {run} exists", "resume it with --resume, or leave --run-id away")
        folder.mkdir(parents=True)
        try:
            steps, facts = make_plan(pipeline, start, folder, platform)
        except BaseException:
            _discard(folder)  # Nothing ran: a wrong call leaves no run behind.
            raise
        record = {
            "run_version": RUN_VERSION,
            "run": run,
            "pipeline": pipeline.name,
            "definition": {"path": str(pipeline.path), "sha256": pipeline.sha256},
            "author": start.author,
            "reason": start.reason,
            "until": start.until,
            "plan": to_record(steps),
            "steps": {step.name: {"state": "waiting", "decision": None, "reasons": []} for step in steps},
            "candidate": None,
            "resumed": [],
            **facts,
        }
        return _execute(options, folder, steps, record, platform)


def _resume(options: argparse.Namespace, root: Path, platform: Platform | None) -> Engine:
    pipeline = None
    if options.pipeline:
        given = Path(options.pipeline)
        pipeline = read_pipeline(given).name if given.is_file() else options.pipeline
    if options.parameter or options.model or options.until or options.run_id:
        raise ConfigError("--resume keeps a run's own parameters", "start a new run to change them")
    folder = find_run(root, options.resume, pipeline)
    with hold(folder.parent, _who(folder.name, _author(options.author))):
        mark_vanished(root)
        record = read_run(folder)
        _check_frozen(folder, record)
        author = {
            "time": iso(now()),
            "by": _author(options.author),
            "code_digest": code_digest(),
            "from": record["state"],
        }
        record["resumed"].append(author)
        return _execute(options, folder, from_record(record), record, platform)


def _execute(
    options: argparse.Namespace,
    folder: Path,
    steps: list[PlannedStep],
    record: dict[str, Any],
    platform: Platform | None,
) -> Engine:
    record |= {
        "state": "running",
        "started": record.get("started") or iso(now()),
        "ended": None,
        "reasons": [],
        "pid": os.getpid(),
        "git_commit": git_commit(),
        "code_digest": code_digest(),
    }
    write_run(folder, record)
    display = Display(sys.stdout, options.events, options.json)
    engine = Engine(folder, steps, record, platform, display.show, pause_seconds=options.retry_pause)
    engine.run()
    return engine


def _check_frozen(folder: Path, record: dict[str, Any]) -> None:
    from mlstep.canonical import digest_file

    changed = [
        name
        for name, file in record["files"].items()
        if not Path(file["path"]).is_file() or digest_file(Path(file["path"])) != file["sha256"]
    ]
    if changed:
        raise ConfigError(
            f"run {record['run']}: its copies of {', '.join(changed)} below {folder} were changed", "start a new run"
        )


def _definition(given: str, platform: Platform | None) -> Path:
    if given.endswith((".yaml", ".yml")) or "/" in given:
        return Path(given)
    known = platform.stage("pipelines")["pipelines"] if platform is not None and platform.has("pipelines") else []
    for entry in known:
        if entry["name"] == given:
            return Path(entry["definition"])
    names = ", ".join(entry["name"] for entry in known) or "none"
    raise ConfigError(
        f"pipeline {given}: not one of the platform's (it has: {names})",
        "give its name, or the path of a pipeline.yaml",
    )


def _parameters(given: list[str]) -> dict[str, str]:
    wrong = [text for text in given if "=" not in text]
    if wrong:
        raise ConfigError(f"--parameter {', '.join(wrong)}: no '='", "write --parameter name=value")
    return dict(text.split("=", 1) for text in given)


def _author(given: str | None) -> str:
    author = given or os.environ.get("STRATA_AUTHOR") or getpass.getuser()
    if not author.strip() or any(character in author for character in "\n\r\x00"):
        raise ConfigError(f"--author {author!r}: no name", "give a name or an e-mail address")
    return author


def _who(run: str, author: str) -> dict[str, Any]:
    return {"run": run, "author": author, "pid": os.getpid(), "since": iso(now())}


def _discard(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)
