"""`mlstep features apply|materialize|check|serve`."""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlstep.errors import ConfigError, IntegrityError
from mlstep.platform import Platform, load
from mlstep_features.online import DEFAULT_ENTITIES, materialize
from mlstep_features.repository import View, apply, folder, locked

# A registry older than this is read again by the server, so that a new snapshot needs no restart.
REGISTRY_SECONDS = 10


def main(argv: list[str]) -> int:
    """Dispatch to one of the four acts."""
    options = _parser().parse_args(argv)
    platform = load(options.root)
    act = {"apply": _apply, "materialize": _materialize, "check": _check, "serve": _serve}[options.act]
    return act(platform, options)


def _apply(platform: Platform, options: argparse.Namespace) -> int:
    with locked(platform.root):
        views, changed = apply(platform)
    lines = [
        f"{view.data_set.view:<24} {view.origin['rows']:,} rows of run {view.origin['run']}"
        for view in views
        if view.origin is not None
    ]
    lines += [*_waiting(views), "registry " + ("changed" if changed else "unchanged")]
    _say(options, {"changed": changed, "views": [view.as_json() for view in views]}, lines)
    return 0


def _materialize(platform: Platform, options: argparse.Namespace) -> int:
    limit = None if options.all else options.entities
    with locked(platform.root):
        views, _ = apply(platform)
        done = materialize(platform, views, limit, _progress)
    waiting = [view.as_json() for view in views if view.origin is None]
    _say(options, {"views": done, "waiting": waiting}, [*map(_written, done), *_waiting(views)])
    return 0


def _written(item: dict[str, Any]) -> str:
    limit = "no limit" if item["limit"] is None else f"limit {item['limit']:,}"
    how = "written" if item["changed"] else "unchanged"
    counts = f"{item['entities']:,} of {item['entities_offline']:,} entities online, the newest first"
    return f"{item['view']:<24} {counts} ({how}; {limit})"


def _waiting(views: list[View]) -> list[str]:
    return [f"{view.data_set.view:<24} waiting: {view.reason}" for view in views if view.origin is None]


def _check(platform: Platform, options: argparse.Namespace) -> int:
    from mlstep_features.consistency import compare

    with locked(platform.root):
        views, _ = apply(platform)
        results = [compare(platform, view, options.entities) for view in views if view.origin is not None]
    lines = [
        f"{result.view:<24} {result.compared:,} values of {result.entities:,} entities compared, "
        f"{len(result.differences):,} differ"
        for result in results
    ]
    _say(options, {"views": [asdict(result) for result in results]}, lines)
    wrong = [result for result in results if result.differences]
    if wrong:
        first = wrong[0].differences[0]
        raise IntegrityError(
            f"training and online features differ, first in {wrong[0].view}: {first}",
            "run `mlstep features materialize`",
        )
    return 0


def _serve(platform: Platform, options: argparse.Namespace) -> int:
    with locked(platform.root):
        _apply_or_keep(platform)
    # Feast takes this process's place: signals, exit code and standard error are its own.
    program = Path(sys.executable).with_name("feast")
    arguments = ["--chdir", str(folder(platform.root)), "serve", "--host", "127.0.0.1", "--port", str(options.port)]
    arguments += ["--no-access-log", "--registry_ttl_sec", str(REGISTRY_SECONDS)]
    # Gunicorn puts a control socket there, else into the home folder, where two platforms would meet.
    runtime = folder(platform.root) / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.execve(
        program, [str(program), *arguments], {**os.environ, "FEAST_USAGE": "False", "XDG_RUNTIME_DIR": str(runtime)}
    )


def _apply_or_keep(platform: Platform) -> None:
    """Apply; if that is refused and there is a repository, say why and go on with what it holds."""
    try:
        apply(platform)
    except (ConfigError, IntegrityError) as error:
        if not (folder(platform.root) / "registry.db").is_file():
            raise
        print(f"mlstep features serve: {error}\n  served: what was applied before", file=sys.stderr, flush=True)


def _progress(done: int, total: int, label: str) -> None:
    print(json.dumps({"progress": {"done": done, "total": total, "label": label}}), file=sys.stderr, flush=True)


def _say(options: argparse.Namespace, content: dict[str, Any], lines: list[str]) -> None:
    print(json.dumps(content, indent=2, sort_keys=True, default=str) if options.json else "\n".join(lines), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mlstep features",
        description="The feature store.",
        epilog="example: mlstep features materialize --root ~/.local/share/strata/demo-dev",
    )
    acts = parser.add_subparsers(dest="act", required=True)
    for name, text in (
        ("apply", "offline files and registry from contracts and the latest ingested rows"),
        ("materialize", "apply, then write the newest entities into the online store"),
        ("check", "compare training features with online features"),
        ("serve", "apply, then become `feast serve` on 127.0.0.1"),
    ):
        act = acts.add_parser(name, help=text, description=text)
        act.add_argument("--root", type=Path, required=True, help="the platform folder")
        act.add_argument("--json", action="store_true", help="for scripts")
        if name == "serve":
            act.add_argument("--port", type=int, required=True)
        if name in {"materialize", "check"}:
            default = DEFAULT_ENTITIES if name == "materialize" else 100
            act.add_argument(
                "--entities",
                type=int,
                default=default,
                help=f"at most so many a view, the newest first (default {default:,})",
            )
        if name == "materialize":
            act.add_argument(
                "--all", action="store_true", help="no limit: about 3,000 entities a second, 4 KB of disk each"
            )
    return parser
