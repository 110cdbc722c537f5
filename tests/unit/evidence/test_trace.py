"""The chain behind an answer: it verifies, and every way of breaking it is seen."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mlstep import history
from mlstep.canonical import list_files, pretty, read_json, tree_digest
from mlstep.evidence.chain import Trace, trace
from mlstep.evidence.trace import main, render
from tests.unit.evidence.stages import APPROVER, AUTHOR, OWNER
from tests.unit.evidence.world import World

LOG = "predictions/wal/champion-1.jsonl"
HISTORY = "champions/credit/history.jsonl"
CANDIDATE = "runs/credit/r1/register/candidate/candidate.json"
LINKS = ["prediction", "input", "truth", "model", "champion", "statement", "author", "data", "code", "run", "gate"]


def _states(found: Trace) -> dict[str, str]:
    return {link.link: link.state for link in found.links}


def _served(world: World) -> str:
    return world.answer(world.promote(world.train("r1")))


def test_an_honest_chain_is_intact(world: World) -> None:
    """Every link verifies, from the answer to data and code, and names the people."""
    request_id = _served(world)
    world.learn(request_id, "repaid")
    found = trace(world.platform, request_id)
    assert [link.link for link in found.links] == LINKS
    assert found.intact, render(found, False)
    assert set(_states(found).values()) == {"verified"}
    text = render(found, False)
    for words in (
        "0.083  approve",
        "repaid",
        "credit v1",
        f"by {APPROVER}",
        f"trained by {AUTHOR}",
        f"owner {OWNER}",
        "300 rows",
        "pass 2/2",
        "all 10 manifests",
    ):
        assert words in text


def test_truth_that_is_not_known_breaks_nothing(world: World) -> None:
    """An absent link is no broken one."""
    found = trace(world.platform, _served(world))
    assert found.intact
    assert _states(found)["truth"] == "absent"


def test_an_answer_without_a_model_has_nothing_behind_it(world: World) -> None:
    """The fallback before the first champion is traced as what it is."""
    found = trace(world.platform, world.answer(None))
    assert found.intact
    assert {name for name, state in _states(found).items() if state == "absent"} == set(LINKS) - {"prediction"}


def test_the_champion_of_that_time_counts(world: World) -> None:
    """After a second promotion an old answer still leads to the old model and its run."""
    old = world.promote(world.train("r1", version=1))
    request_id = world.answer(old)
    new = world.promote(world.train("r2", version=2))
    facts = {link.link: link.facts for link in trace(world.platform, request_id).links}
    assert (facts["champion"]["sequence"], facts["run"]["run"]) == (1, "r1")
    facts = {link.link: link.facts for link in trace(world.platform, world.answer(new)).links}
    assert (facts["champion"]["sequence"], facts["run"]["run"]) == (2, "r2")


def _change(path: Path, find: str, replace: str) -> None:
    path.chmod(0o644)
    text = path.read_text(encoding="utf-8")
    assert find in text
    path.write_text(text.replace(find, replace), encoding="utf-8")


def _swap_model(root: Path) -> None:
    (file,) = (root / "artifacts/store/sha256").glob("*/model.skops")
    file.chmod(0o644)
    file.write_bytes(b"other weights")


def _drop_truth_chain(root: Path) -> None:
    history.path(root, "credit").write_text("", encoding="utf-8")


def _forge_evidence(root: Path) -> None:
    _change(root / "runs/credit/r1/gate/evidence/evidence.json", "0.742", "0.942")


def _change_rows(root: Path) -> None:
    (root / "runs/credit/r1/ingest/data/data.parquet").write_bytes(b"other rows")


def _forge_consistently(root: Path) -> None:
    """Change rows and their manifest together: only the next step's inputs can tell."""
    folder = root / "runs/credit/r1/ingest/data"
    _change_rows(root)
    manifest = read_json(folder / "manifest.json")
    manifest["files"] = list_files(folder)
    manifest["digest"] = tree_digest(manifest["files"])
    (folder / "manifest.json").write_text(pretty(manifest), encoding="utf-8")


def _edit(path: str, find: str, replace: str) -> Callable[[Path], None]:
    return lambda root: _change(root / path, find, replace)


BREAKS: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "model bytes": (_swap_model, {"model"}),
    "history emptied": (_drop_truth_chain, set(LINKS[4:])),
    "history edited": (_edit(HISTORY, AUTHOR, "x@bank.example"), set(LINKS[4:])),
    "evidence edited": (_forge_evidence, {"run", "gate"}),
    "rows edited": (_change_rows, {"run", "data"}),
    "rows and manifest edited": (_forge_consistently, {"run", "data"}),
    "result edited": (_edit("runs/credit/r1/train/result.json", '"model": "', '"model": "0'), {"run"}),
    "author edited": (_edit(CANDIDATE, AUTHOR, "x"), {"run", "author"}),
    "signer gone": (_edit("platform/foundation.json", APPROVER, "z@bank.example"), {"statement"}),
    "prediction of another version": (_edit(LOG, '"version":1', '"version":9'), {"champion"}),
    "prediction moved in time": (_edit(LOG, '"time":"2026-02-20', '"time":"2026-02-21'), {"prediction"}),
    "prediction under another schema": (_edit(LOG, '"schema":"', '"schema":"0'), {"input"}),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_link_is_named(world: World, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each change breaks exactly the links it touches, in words and by exit code 3."""
    request_id = _served(world)
    change, expected = BREAKS[name]
    change(world.root)
    found = trace(world.platform, request_id)
    assert {link for link, state in _states(found).items() if state == "broken"} == expected, render(found, False)
    assert all(link.problems for link in found.links if link.state == "broken")
    assert main(["--root", str(world.root), request_id]) == 3
    assert "broken: " in capsys.readouterr().out.splitlines()[-1]


def test_a_statement_for_other_bytes_is_seen(world: World) -> None:
    """A history entry whose statement allowed another evidence does not hold."""
    entry = world.promote(world.train("r1"), evidence_digest="b" * 64)
    found = trace(world.platform, world.answer(entry))
    assert _states(found)["statement"] == "broken"


def test_the_run_may_not_be_gone(world: World) -> None:
    """A deleted run is a broken chain, not a shorter one."""
    request_id = _served(world)
    (world.root / "runs").rename(world.root / "elsewhere")
    found = trace(world.platform, request_id)
    assert {link for link, state in _states(found).items() if state == "broken"} == {
        "author",
        "data",
        "code",
        "run",
        "gate",
    }


def test_an_unknown_answer_is_a_message(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """An identifier that is not in the log ends with exit code 1 and a hint."""
    from mlstep.cli import main as mlstep

    assert mlstep(["trace", "--root", str(world.root), "nonsense"]) == 1
    assert re.search(r"no such answer.*\n.*26 letters", capsys.readouterr().err)


def test_json_and_colour(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts get every link as data; red is used for what is broken, and only when asked for."""
    request_id = _served(world)
    _swap_model(world.root)
    assert main(["--root", str(world.root), request_id, "--json"]) == 3
    content = json.loads(capsys.readouterr().out)
    assert content["intact"] is False
    assert [link["link"] for link in content["links"]] == LINKS
    found = trace(world.platform, request_id)
    assert "\x1b[31;1m✗ model" in render(found, True)
    assert "\x1b" not in render(found, False)
