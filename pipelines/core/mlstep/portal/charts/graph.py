"""A pipeline run as a graph: steps from left to right, an arrow for every input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from markupsafe import Markup

from mlstep.portal.charts.svg import Box, drawing

NODE_WIDTH, NODE_HEIGHT, GAP_X, GAP_Y, MARGIN = 132, 50, 44, 22, 14


@dataclass(frozen=True)
class Node:
    """One step: its name, its state as a word, a second line, where a click leads."""

    name: str
    state: str
    detail: str
    href: str


def graph(title: str, nodes: Sequence[Node], edges: Sequence[tuple[str, str]]) -> Markup:
    """Each step in the column after its latest predecessor; edges that a longer way implies are left out."""
    columns = _columns([node.name for node in nodes], edges)
    tallest = max(len(column) for column in columns)
    height = MARGIN * 2 + tallest * NODE_HEIGHT + (tallest - 1) * GAP_Y
    width = MARGIN * 2 + len(columns) * NODE_WIDTH + (len(columns) - 1) * GAP_X
    places: dict[str, tuple[float, float]] = {}
    for number, column in enumerate(columns):
        free = height - len(column) * NODE_HEIGHT - (len(column) - 1) * GAP_Y
        for index, name in enumerate(column):
            places[name] = (MARGIN + number * (NODE_WIDTH + GAP_X), free / 2 + index * (NODE_HEIGHT + GAP_Y))
    shown = _essential(edges)
    parts = [_edge(places[start], places[end]) for start, end in shown if start in places and end in places]
    parts += [_node(node, *places[node.name]) for node in nodes]
    spoken = f"{title}: " + "; ".join(f"{node.name} {node.state}" for node in nodes)
    return Markup('<div class="scroll">{}</div>').format(drawing(Box(width, height), spoken, parts, "graph"))


def _columns(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Steps in the columns in which they become ready, in the given order within a column."""
    sorter = TopologicalSorter(
        {name: [start for start, end in edges if end == name and start in names] for name in names}
    )
    sorter.prepare()
    columns = []
    while sorter.is_active():
        ready = sorter.get_ready()
        columns.append([name for name in names if name in ready])
        sorter.done(*ready)
    return columns


def _essential(edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Edges without those between steps that another way connects too."""
    after: dict[str, set[str]] = {}
    for start, end in edges:
        after.setdefault(start, set()).add(end)
    return [
        (start, end)
        for start, end in sorted(set(edges))
        if not any(_reaches(after, middle, end) for middle in after[start] - {end})
    ]


def _reaches(after: Mapping[str, set[str]], start: str, end: str) -> bool:
    seen, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name == end:
            return True
        if name not in seen:
            seen.add(name)
            waiting += after.get(name, set())
    return False


def _edge(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    x1, y1 = start[0] + NODE_WIDTH, start[1] + NODE_HEIGHT / 2
    x2, y2 = end[0], end[1] + NODE_HEIGHT / 2
    bend = (x2 - x1) / 2 if x2 - x1 <= GAP_X * 2 else GAP_X
    head = f"M{x2 - 6:.1f},{y2 - 3.5:.1f} L{x2:.1f},{y2:.1f} L{x2 - 6:.1f},{y2 + 3.5:.1f}"
    path = f"M{x1:.1f},{y1:.1f} C{x1 + bend:.1f},{y1:.1f} {x2 - bend:.1f},{y2:.1f} {x2 - 1:.1f},{y2:.1f}"
    return Markup('<path class="edge" d="{}"/><path class="edge" d="{}"/>').format(path, head)


def _node(node: Node, x: float, y: float) -> Markup:
    shape = Markup(
        '<rect class="node" x="{x}" y="{y}" width="{w}" height="{h}" rx="7"/><rect class="state" x="{x}" y="{y}" width="5" height="{h}" rx="2"/>'
        '<text class="node-name" x="{tx}" y="{ty}">{name}</text><text class="node-detail" x="{tx}" y="{dy}">{detail}</text>'
    ).format(x=x, y=y, w=NODE_WIDTH, h=NODE_HEIGHT, tx=x + 16, ty=y + 21, dy=y + 38, name=node.name, detail=node.detail)
    return Markup('<a class="step {}" href="{}"><title>{}: {} {}</title>{}</a>').format(
        node.state, node.href, node.name, node.state, node.detail, shape
    )
