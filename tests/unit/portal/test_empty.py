"""A platform in which nothing has happened: every page answers and says what fills it."""

import pytest

from tests.unit.evidence.stages import raise_to_four
from tests.unit.portal.conftest import Portal

FILLS = {
    "/": ["strata run PIPELINE --stack credit-dev", "strata policy check --stack credit-dev"],
    "/monitoring/": ["has not reached stage 3", "strata up credit-dev"],
    "/catalog/": ["applications", "no delivery yet"],
    "/catalog/applications": ["strata run PIPELINE --stack credit-dev", "mlstep features materialize --root"],
    "/runs/": ["strata run PIPELINE --stack credit-dev"],
    "/policies/": ["strata policy check --stack credit-dev"],
}


@pytest.mark.parametrize("path", FILLS)
def test_an_empty_page_says_what_is_missing(empty: Portal, path: str) -> None:
    """Each page without data names the command that brings it."""
    content = empty.get(path)
    assert [words for words in FILLS[path] if words not in content] == []


def test_a_model_without_anything_has_a_page(empty: Portal) -> None:
    """The default model is known before it is trained; each part of its page names a command."""
    raise_to_four(empty.world.root, 25100)
    content = empty.get("/models/credit")
    assert "no champion" in content
    assert content.count('<div class="empty">') >= 8
    assert "strata run credit --stack credit-dev" in content


@pytest.mark.parametrize(
    "path",
    ["/models/other", "/models/credit/v9/gate", "/catalog/other", "/runs/credit/x", "/runs/a/b/c/log", "/nothing"],
)
def test_what_is_not_there_is_said(empty: Portal, path: str) -> None:
    """An unknown name is a page with status 404."""
    assert "There is no such page" in empty.get(path, 404) or path == "/nothing"


def test_an_answer_that_is_not_in_the_log(empty: Portal) -> None:
    """An unknown request_id is said in words, on the page and as JSON."""
    assert "no such answer in the prediction log" in empty.get("/trace/nothing", 404)
    assert "no such answer" in empty.ask("/api/trace/nothing").json()["error"]
