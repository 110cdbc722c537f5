"""A pipeline run as a graph: steps from left to right, an arrow for every input that no longer way implies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from markupsafe import Markup

from mlstep.portal.charts.svg import Box, drawing, shape, text

NODE_WIDTH, NODE_HEIGHT, GAP_X, GAP_Y, MARGIN, LANE = 112, 50, 26, 20, 12, 10
Edge = tuple[str, str]


@dataclass(frozen=True)
class Node:
    """One step: its name, its state as a word, a second line, where a click leads."""

    name: str
    state: str
    detail: str
    href: str


@dataclass(frozen=True)
class _Slot:
    """A place in a column: a step, or the lane of an edge that passes by."""

    column: int
    step: str | None = None
    lane: Edge | None = None

    @property
    def height(self) -> int:
        return NODE_HEIGHT if self.step is not None else LANE


def graph(title: str, nodes: Sequence[Node], edges: Sequence[Edge]) -> Markup:
    """Each step in the column after its latest predecessor; an arrow over several columns gets a lane of its own."""
    columns = _columns([node.name for node in nodes], edges)
    level = {name: number for number, column in enumerate(columns) for name in column}
    shown = [edge for edge in _essential(edges) if edge[0] in level and edge[1] in level]
    slots = [_slots(number, column, shown, level) for number, column in enumerate(columns)]
    height = MARGIN * 2 + max(_tall(column) for column in slots)
    width = MARGIN * 2 + len(columns) * NODE_WIDTH + (len(columns) - 1) * GAP_X
    places = _places(slots, shown, height)
    parts = [_edge(edge, places, level) for edge in shown]
    parts += [
        _node(node, _left(level[node.name]), places[_Slot(level[node.name], node.name)] - NODE_HEIGHT / 2)
        for node in nodes
    ]
    spoken = f"{title}: " + "; ".join(f"{node.name} {node.state}" for node in nodes)
    return Markup('<div class="scroll">{}</div>').format(drawing(Box(width, height), spoken, parts, "graph"))


def _columns(names: Sequence[str], edges: Sequence[Edge]) -> list[list[str]]:
    """Steps in the columns in which they become ready, in the given order within a column."""
    known = {name: [start for start, end in edges if end == name and start in names] for name in names}
    sorter = TopologicalSorter(known)
    sorter.prepare()
    columns = []
    while sorter.is_active():
        ready = sorter.get_ready()
        columns.append([name for name in names if name in ready])
        sorter.done(*ready)
    return columns


def _essential(edges: Sequence[Edge]) -> list[Edge]:
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


def _slots(number: int, column: Sequence[str], edges: Sequence[Edge], level: Mapping[str, int]) -> list[_Slot]:
    lanes = [edge for edge in edges if level[edge[0]] < number < level[edge[1]]]
    return [*(_Slot(number, name) for name in column), *(_Slot(number, None, edge) for edge in lanes)]


def _places(columns: Sequence[list[_Slot]], edges: Sequence[Edge], height: float) -> dict[_Slot, float]:
    """The middle of every slot, column by column, in the order of where its arrows come from."""
    places: dict[_Slot, float] = {}
    for column in columns:
        origins = {slot: _origin(slot, edges, places, height) for slot in column}
        top = (height - _tall(column)) / 2
        for slot in sorted(column, key=origins.__getitem__):
            places[slot] = top + slot.height / 2
            top += slot.height + GAP_Y
    return places


def _origin(slot: _Slot, edges: Sequence[Edge], places: Mapping[_Slot, float], height: float) -> float:
    """The mean height of what leads here, from the column before."""
    incoming = [slot.lane] if slot.lane is not None else [edge for edge in edges if edge[1] == slot.step]
    before = slot.column - 1
    found = [places.get(_Slot(before, None, edge), places.get(_Slot(before, edge[0]), height / 2)) for edge in incoming]
    return sum(found) / len(found) if found else height / 2


def _tall(column: Sequence[_Slot]) -> int:
    return sum(slot.height for slot in column) + GAP_Y * (len(column) - 1)


def _left(number: int) -> float:
    return MARGIN + number * (NODE_WIDTH + GAP_X)


def _edge(edge: Edge, places: Mapping[_Slot, float], level: Mapping[str, int]) -> Markup:
    start, end = level[edge[0]], level[edge[1]]
    x, y = _left(start) + NODE_WIDTH, places[_Slot(start, edge[0])]
    path = f"M{x:.1f},{y:.1f}"
    for number in range(start + 1, end + 1):
        last = number == end
        next_y = places[_Slot(end, edge[1])] if last else places[_Slot(number, None, edge)]
        next_x = _left(number)
        path += f" C{x + GAP_X / 2:.1f},{y:.1f} {next_x - GAP_X / 2:.1f},{next_y:.1f} {next_x:.1f},{next_y:.1f}"
        if not last:
            next_x += NODE_WIDTH
            path += f" L{next_x:.1f},{next_y:.1f}"
        x, y = next_x, next_y
    head = f"M{x - 6:.1f},{y - 3.5:.1f} L{x:.1f},{y:.1f} L{x - 6:.1f},{y + 3.5:.1f}"
    return shape("path", "edge", d=path) + shape("path", "edge", d=head)


def _node(node: Node, x: float, y: float) -> Markup:
    parts = [
        Markup("<title>{}: {} {}</title>").format(node.name, node.state, node.detail),
        shape("rect", "node", x=x, y=y, width=NODE_WIDTH, height=NODE_HEIGHT, rx=7),
        shape("rect", "state", x=x, y=y, width=5, height=NODE_HEIGHT, rx=2),
        text("node-name", x + 14, y + 21, node.name),
        text("node-detail", x + 14, y + 38, node.detail),
    ]
    return shape("a", f"step {node.state}", Markup().join(parts), href=node.href)
