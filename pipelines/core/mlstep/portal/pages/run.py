"""Runs: the list, one run as a graph, a step's log."""

from pathlib import Path

from mlstep.platform import Platform
from mlstep.portal.charts.graph import Node, graph
from mlstep.portal.reading import runs
from mlstep.portal.render import page, seconds

_LOG_BYTES = 200_000


def render_list(platform: Platform) -> str:
    """All runs, newest first."""
    return page("runs.html", platform, "Runs", "/runs/", runs=runs.list_runs(platform.root, 100))


def render(platform: Platform, pipeline: str, name: str) -> str | None:
    """One run; None if there is none of this name."""
    run = runs.read_run(platform.root, pipeline, name)
    if run is None:
        return None
    nodes = [Node(step.name, step.state, _detail(step), f"#{step.name}") for step in run.steps]
    picture = graph(f"steps of run {name}", nodes, run.edges) if nodes else ""
    crumbs = [("/runs/", "Runs")]
    return page(
        "run.html",
        platform,
        f"{pipeline} run",
        "/runs/",
        run=run,
        graph=picture,
        crumbs=crumbs,
        evidence=runs.evidence(run),
    )


def render_log(platform: Platform, pipeline: str, name: str, step: str) -> str | None:
    """The last part of a step's log; None if there is no such step or it has none."""
    run = runs.read_run(platform.root, pipeline, name)
    known = run is not None and any(entry.name == step and entry.has_log for entry in run.steps)
    if run is None or not known:
        return None
    text, cut = _tail(run.folder / step / "log.txt")
    crumbs = [("/runs/", "Runs"), (f"/runs/{pipeline}/{name}", f"{pipeline} {name}")]
    return page("log.html", platform, f"Log of {step}", "/runs/", step=step, text=text, cut=cut, crumbs=crumbs)


def _detail(step: runs.Step) -> str:
    state = (
        step.state
        if step.state not in ("pass", "fail", "warn") or step.seconds is None
        else f"{step.state}, {seconds(step.seconds)}"
    )
    return f"{state}, {step.attempts} attempts" if step.attempts > 1 else state


def _tail(path: Path) -> tuple[str, bool]:
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _LOG_BYTES))
        return stream.read().decode("utf-8", "replace"), size > _LOG_BYTES
