"""What a page must never do: run what others wrote, show secrets, answer strangers, hide a break."""

from pathlib import Path

import pytest

from mlstep import history
from mlstep.canonical import pretty, read_json
from mlstep.portal.pages import overview
from tests.unit.evidence.stages import write_stage
from tests.unit.portal.bank import RUNS, record_run
from tests.unit.portal.conftest import Portal
from tests.unit.portal.reports import REPORTS
from tests.unit.portal.test_pages import PAGES

EVIL = "<script>alert(1)</script>"


def test_a_page_may_load_nothing(portal: Portal) -> None:
    """The policy allows this very style sheet and no script at all."""
    headers = portal.ask("/").headers
    assert "default-src 'none'; style-src 'sha256-" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_no_page_holds_a_secret(portal: Portal) -> None:
    """Nothing that a file below secrets/ holds is on any page."""
    secrets = [path.read_text(encoding="utf-8").strip() for path in (portal.world.root / "secrets").iterdir()]
    assert len(secrets) == 3
    for path in (*PAGES, f"/trace/{portal.requests[0]}", f"/api/trace/{portal.requests[0]}"):
        content = portal.get(path)
        assert not any(secret in content for secret in secrets), path


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_other_names_of_this_machine_are_refused(portal: Portal, host: str) -> None:
    """A page elsewhere cannot read the portal under its own name."""
    assert portal.ask("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/runs/credit/..%2F..%2Fsecrets", "/runs/../platform/log", "/catalog/.env", "/models/%2E%2E"]
)
def test_no_way_out_of_the_folder(portal: Portal, path: str) -> None:
    """Names that are paths lead nowhere."""
    assert portal.ask(path).status_code == 404


def test_only_reading(portal: Portal) -> None:
    """There is nothing to send."""
    assert {portal.ask("/", method).status_code for method in ("POST", "PUT", "DELETE")} == {405}


def test_foreign_words_are_escaped(empty: Portal) -> None:
    """Names, reasons and authors that hold markup are shown as text."""
    root = empty.world.root
    data = {"name": EVIL, "contract": str(empty.world.contract), "source": EVIL, "owner": EVIL, "freshness_hours": 1}
    write_stage(root, "governance", data=[data], use_case=None)
    empty.world.reports = dict(REPORTS)
    record_run(empty.world, empty.world.train(RUNS[0]), author=EVIL, reasons=[EVIL], reason=EVIL)
    for path in ("/", "/runs/", f"/runs/credit/{RUNS[0]}", "/catalog/"):
        content = empty.get(path)
        assert "<script" not in content
        assert "&lt;script&gt;" in content


def test_a_broken_history_is_shown(empty: Portal) -> None:
    """A champion whose history does not verify is broken on every page that names it."""
    world = empty.world
    entry = world.promote(world.train(RUNS[0]))
    path = history.path(world.root, "credit")
    path.write_text(path.read_text(encoding="utf-8").replace(entry.by, "x@bank.example"), encoding="utf-8")
    assert ">broken<" in empty.get("/")
    assert "the promote key did not sign it" in empty.get("/models/credit")


def test_a_defect_shows_no_traceback(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect is a page with status 500 and no inner words."""
    monkeypatch.setattr(overview, "render", lambda platform: 1 // 0)
    content = portal.get("/", 500)
    assert "ZeroDivisionError" not in content
    assert "logs/portal.log" in content


def test_health_needs_the_platform(empty: Portal, tmp_path: Path) -> None:
    """Well with a readable platform, unwell without, and never half a page."""
    assert empty.get("/healthz") == '{"status":"ok"}'
    file = empty.world.root / "platform" / "foundation.json"
    file.write_text(pretty({**read_json(file), "contract_version": 99}), encoding="utf-8")
    assert "contract versions" in empty.get("/healthz", 503)
    assert "contract versions" in empty.get("/", 503)
