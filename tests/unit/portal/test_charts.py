"""Pictures: honest axes, every number in the table, nothing of a name becomes markup."""

import math
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from markupsafe import Markup

from mlstep.portal.charts.calibration import Bin, calibration_chart
from mlstep.portal.charts.columns import Column, column_chart
from mlstep.portal.charts.graph import NODE_HEIGHT, NODE_WIDTH, Node, graph
from mlstep.portal.charts.lines import HALF, SMALL, Limit, Line, Look, Marker, Point, line_chart
from mlstep.portal.charts.ranges import Axis, Row, bar_chart, interval_chart
from mlstep.portal.charts.svg import Scale, number, ticks, time_ticks

START = datetime(2026, 2, 1, tzinfo=UTC)
EVIL = '<b onclick="x">&'


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.0, 0.0031), (-0.07, 0.05), (3, 3), (0, 0), (-5e6, 2e7), (0.71, 0.76)]
)
def test_ticks_are_round_and_cover(low: float, high: float) -> None:
    """Ticks grow by one round step from at or below the lowest to at or above the highest value."""
    marks = ticks(low, high)
    steps = {round(after - before, 9) for before, after in pairwise(marks)}
    assert marks[0] <= low
    assert marks[-1] >= high
    assert len(steps) == 1
    assert 2 <= len(marks) <= 9
    mantissa = steps.pop() / 10 ** math.floor(math.log10(marks[1] - marks[0]) + 1e-9)
    assert round(mantissa, 6) in {1.0, 2.0, 2.5, 5.0}


def test_values_that_are_no_numbers_draw_no_axis() -> None:
    """Infinity and NaN do not hang or crash."""
    assert ticks(math.nan, 1.0) == [0.0, 1.0]
    assert number(math.inf) == "\N{EN DASH}"


def test_a_scale_keeps_values_inside() -> None:
    """A value beyond the axis is drawn at its end, one between in proportion."""
    scale = Scale(0.0, 10.0, 100.0, 0.0)
    assert (scale(5.0), scale(-1.0), scale(99.0)) == (50.0, 100.0, 0.0)


@pytest.mark.parametrize("span", [timedelta(minutes=3), timedelta(hours=5), timedelta(days=20), timedelta(days=3000)])
def test_time_ticks_lie_inside_and_are_few(span: timedelta) -> None:
    """Round moments between first and last, no more than asked for and one."""
    marks = time_ticks(START + timedelta(seconds=7), START + timedelta(seconds=7) + span)
    assert 1 <= len(marks) <= 9
    assert all(START < moment <= START + timedelta(seconds=7) + span for moment, _ in marks)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.742, "0.742"), (12, "12"), (1234567, "1,234,567"), (2500.4, "2,500"), (0.0001734, "0.00017"), (-0.05, "-0.05")],
)
def test_numbers_for_people(value: float, shown: str) -> None:
    """As many digits as say something."""
    assert number(value) == shown


def _pictures() -> dict[str, Markup]:
    points = [Point(START + timedelta(hours=hour), hour / 10, hour > 3, EVIL) for hour in range(6)]
    rows = [Row(EVIL, 0.7, 0.6, 0.8, 100, "fail"), Row("b", None, None, None, 12, "undecided"), Row("c", -0.2)]
    slots = [Column(START + timedelta(hours=hour), hour, hour // 2) for hour in range(4)]
    look = Look(HALF, EVIL, markers=[Marker(START + timedelta(hours=2), EVIL)], note=EVIL)
    return {
        "line": line_chart(EVIL, [Line(EVIL, points), Line("b", points[:2])], Limit(0.3, EVIL), look),
        "single": line_chart("one", [Line("one", points[:1])], None, Look(SMALL)),
        "intervals": interval_chart(EVIL, rows, Axis(EVIL, 0.8, EVIL), EVIL),
        "bars": bar_chart(EVIL, rows, Axis(EVIL), EVIL),
        "calibration": calibration_chart(EVIL, [Bin(0.1, 0.12, 0.1, 0.14, 10), Bin(0.5, 0.4, None, None, 10)], EVIL),
        "columns": column_chart(EVIL, slots, (EVIL, "special"), EVIL),
        "graph": graph(EVIL, [Node(EVIL, "pass", EVIL, "#a"), Node("b", "fail", "", "#b")], [(EVIL, "b")]),
    }


@pytest.mark.parametrize("name", _pictures())
def test_names_do_not_become_markup(name: str) -> None:
    """Whatever a feature or group is called, it is text."""
    content = str(_pictures()[name])
    assert "<b " not in content
    assert "nan" not in re.sub(r"<[^>]*>", "", content)
    assert all(float(value) == float(value) for value in re.findall(r' c?[xy][12]?="([^"]+)"', content))


def test_the_table_holds_every_point() -> None:
    """Each value of a line is a row of its numbers, with what is beyond the limit marked."""
    content = str(_pictures()["line"])
    assert content.count("<tr>") == 1 + 6 + 2
    assert content.count("beyond limit") == 2
    assert content.count('class="dot s0 red"') == 2


def test_an_arrow_that_a_longer_way_implies_is_left_out() -> None:
    """Of a -> b -> c and a -> c two arrows are drawn; one that passes a column gets a lane around its steps."""
    nodes = [Node(name, "pass", "", f"#{name}") for name in "abcd"]
    direct = str(graph("g", nodes[:3], [("a", "b"), ("b", "c"), ("a", "c")]))
    assert direct.count('class="edge"') == 2 * 2
    around = str(graph("g", nodes, [("a", "b"), ("b", "d"), ("c", "d"), ("a", "c"), ("c", "b")]))
    assert around.count('class="edge"') == 2 * 3
    lane = str(graph("g", nodes, [("a", "b"), ("b", "c"), ("a", "d"), ("c", "d")]))
    assert lane.count('class="node"') == 4


def test_a_late_arrow_does_not_cross_a_step() -> None:
    """The lane of x -> z passes beside step y of the column between."""
    edges = [("s", "x"), ("s", "w"), ("w", "y"), ("y", "z"), ("x", "z")]
    content = str(graph("g", [Node(name, "pass", "", "#") for name in "sxwyz"], edges))
    boxes = [(float(x), float(y)) for x, y in re.findall(r'class="node" x="([\d.]+)" y="([\d.]+)"', content)]
    lanes = [(float(x), float(y)) for x, y in re.findall(r"C[^CLM]*L([\d.]+),([\d.]+)", content)]
    assert len(lanes) == 1
    crossed = [
        box
        for box in boxes
        for x, y in lanes
        if box[0] <= x <= box[0] + NODE_WIDTH and box[1] < y < box[1] + NODE_HEIGHT
    ]
    assert crossed == []
