"""Every page of a full bank: it is there, it is whole, and it says what it must."""

import re
from html.parser import HTMLParser

import pytest

from tests.unit.evidence.stages import APPROVER, AUTHOR, OWNER
from tests.unit.portal.bank import RUNS
from tests.unit.portal.conftest import Portal

RUN = f"/runs/credit/{RUNS[1]}"
PAGES = {
    "/": ["credit", "v2", "applications", "1 open alert", "v3 is a candidate", "http://127.0.0.1:25100"],
    "/models/credit": ["v2", APPROVER, AUTHOR, "AUC with its 95 percent interval", "Calibration", "income", "18-25"],
    "/models/credit/v2/gate": [
        "2 of 2 rules passed",
        "0.742 [0.735, 0.749]",
        "must have a lower bound of 0.7",
        "Promoted",
    ],
    "/models/credit/v3/gate": ["Waits for a signature", "strata sign credit v3 --as risk --stack credit-dev"],
    "/monitoring/": ["feature income of credit has moved", "2 of the last 5 windows", "started"],
    "/catalog/": ["applications", OWNER, "1.0.0"],
    "/catalog/applications": [OWNER, "income.minimum", "SE** **** **12", "application_id", RUNS[2][-8:]],
    "/runs/": [*RUNS, "retraining"],
    RUN: ["ingest:data", "300 rows", "80 MiB", "evidence"],
    f"{RUN}/train/log": ["log of train &lt;b&gt;not bold&lt;/b&gt;"],
    "/policies/": ["strata policy check --stack credit-dev"],
}


class _Reader(HTMLParser):
    """Collects links and anchors, and insists that elements close in order."""

    OPEN = frozenset({"meta", "link", "br", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.path: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.links += [str(known["href"])] if tag == "a" else []
        self.ids += [str(known["id"])] if "id" in known else []
        if tag not in self.OPEN:
            self.path.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.path[-1:] == [tag], f"</{tag}> closes {self.path[-3:]} at {self.getpos()}"
        self.path.pop()


def _read(content: str) -> _Reader:
    reader = _Reader()
    reader.feed(content)
    reader.close()
    assert reader.path == []
    assert len(reader.ids) == len(set(reader.ids))
    return reader


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_what_it_must(portal: Portal, path: str) -> None:
    """Each page holds its facts."""
    content = portal.get(path)
    missing = [words for words in PAGES[path] if words not in content]
    assert missing == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_needs_nothing_from_elsewhere(portal: Portal, path: str) -> None:
    """Elements close, nothing is loaded, nothing runs, no picture lacks its numbers."""
    content = portal.get(path)
    _read(content)
    assert re.search(r"<script|<img|<iframe|@import|url\(|\son\w+=|\sstyle=", content) is None
    assert content.count("<figure") == content.count('<details class="numbers"><summary>Numbers</summary>')


def test_every_link_leads_somewhere(portal: Portal) -> None:
    """From the overview every page of ours that a link names answers, and every anchor is there."""
    waiting, seen = ["/"], set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        reader = _read(portal.get(path))
        own = [link for link in reader.links if link.startswith("/")]
        assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)
        for link in own:
            target, _, anchor = link.partition("#")
            if anchor:
                assert anchor in _read(portal.get(target)).ids, f"{path} links to {link}"
            if target not in seen and target not in waiting:
                waiting.append(target)
    assert seen >= set(PAGES)


def test_the_trace_page_shows_every_link(portal: Portal) -> None:
    """The form leads to the chain, which is intact, with the truth where it is known."""
    request_id = portal.requests[0]
    answer = portal.ask(f"/trace?id={request_id}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/trace/{request_id}")
    content = portal.get(f"/trace/{request_id}")
    assert content.count(">verified<") == 11
    assert "/models/credit/v1/gate" in content
    assert portal.ask(f"/api/trace/{request_id}").json()["intact"] is True


def test_red_points_stand_out(portal: Portal) -> None:
    """Windows beyond the limit are drawn red, and said in the table of numbers."""
    content = portal.get("/models/credit")
    income = content[content.index(">income</figcaption>") :]
    picture = income[: income.index("</figure>")]
    assert picture.count('<circle class="dot s0 red"') == 2
    assert picture.count("<td>beyond limit</td>") == 2
