"""Status, logs, secrets and data of a platform folder."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from stacks import record
from stacks.commands import log_files, purging, secret_files
from stacks.commands.failure import Failure
from stacks.commands.ui import Screen
from tests.unit.stacks.conftest import Strata
from tests.unit.stacks.engine_answers import ALWAYS, change, state, summary
from tests.unit.stacks.fakes import FakeProgram, answer


def test_status_says_when_record_and_platform_differ(strata: Strata, platform: Path, mlstep: FakeProgram) -> None:
    """A stage that is written but not built yet is the first line."""
    mlstep.answers(answer("status", stdout="all well\n"))
    assert strata("status", "demo-dev").out == "all well\n"
    (platform / "platform" / "feature_store.json").unlink()
    assert "the record says 4, built is 3: strata up demo-dev" in strata("status").out


def test_logs_are_listed_and_shown(strata: Strata, platform: Path) -> None:
    """Without a name the logs are listed; with one its last lines are shown; a mistyped one has a remedy."""
    assert "has no logs" in strata("logs").err
    (platform / "logs").mkdir()
    (platform / "logs" / "mlflow.log").write_text("".join(f"line {n}\n" for n in range(2000)), encoding="utf-8")
    assert "mlflow" in strata("logs").out
    assert strata("logs", "mlflow", "-n", "2").out == "line 1998\nline 1999\n"
    assert strata("logs", "mlflow", "-n", "2000", "--json").json["lines"][0] == "line 0"
    assert "did you mean mlflow?" in strata("logs", "mlflo").err


def test_a_followed_log_goes_on_after_rotation(tmp_path: Path) -> None:
    """Lines are complete, and a new file under the old name is read from its beginning."""
    path = tmp_path / "a.log"
    path.write_text("old\n", encoding="utf-8")
    following = log_files.follow(path)

    def write_two_halves() -> None:
        with path.open("a", encoding="utf-8") as stream:
            stream.write("three")
            stream.flush()
            stream.write("\n")

    # The file is opened by the first `next`, so it must be written to while that waits.
    writer = threading.Timer(0.5, write_two_halves)
    writer.start()
    assert next(following) == "three"
    writer.join()
    (tmp_path / "new.log").write_text("four\n", encoding="utf-8")
    os.replace(tmp_path / "new.log", path)
    assert next(following) == "four"


def test_a_secret_is_for_a_terminal_only(strata: Strata, platform: Path) -> None:
    """In a pipe, a file or JSON a secret would stay; names are no secret."""
    (platform / "secrets").mkdir(mode=0o700)
    (platform / "secrets" / "audit.token").write_text("hush\n", encoding="utf-8")
    assert strata("secret").out == "audit.token\n"
    for arguments in (["secret", "audit"], ["secret", "audit", "--json"]):
        shown = strata(*arguments)
        assert shown.code == 4
        assert "hush" not in shown.out + shown.err


def test_a_secret_is_found_by_the_name_people_use(platform: Path) -> None:
    """`mlflow` is the account that a person reads MLflow with; an unambiguous beginning is enough."""
    (platform / "secrets").mkdir(mode=0o700)
    for name in ("audit.token", "mlflow-admin", "mlflow-flask"):
        (platform / "secrets" / name).write_text("x", encoding="utf-8")
    chosen = record.load("demo-dev")
    assert secret_files.resolve(chosen, "mlflow") == "audit.token"
    assert secret_files.resolve(chosen, "aud") == "audit.token"
    with pytest.raises(Failure, match="several begin like this"):
        secret_files.resolve(chosen, "mlflow-")
    with pytest.raises(Failure, match=r"did you mean audit\.token"):
        secret_files.resolve(chosen, "adit.token")


def test_down_removes_and_keeps_the_data(strata: Strata, pulumi: FakeProgram, platform: Path) -> None:
    """The engine removes its resources; the folder stays and is named."""
    events = [change("delete", "Process", "a"), summary(delete=2)]
    pulumi.answers(*ALWAYS, answer("export", json_output=state("a")), answer("destroy", events=events))
    shown = strata("down", "demo-dev")
    assert shown.code == 0, shown.err
    assert "2 resources removed" in shown.out
    assert f"data stays in {platform}" in shown.out
    assert platform.is_dir()


def test_down_with_purge_removes_read_only_stores_too(strata: Strata, pulumi: FakeProgram, platform: Path) -> None:
    """--purge removes the folder, write-once stores included, and forgets the stack."""
    store = platform / "artifacts" / "store"
    store.mkdir(parents=True)
    (store / "model").write_text("x", encoding="utf-8")
    store.chmod(0o500)
    pulumi.answers(*ALWAYS, answer("export", json_output=state()), answer("destroy", events=[summary()]), answer("rm"))
    assert strata("down", "--purge", "--yes").code == 0
    assert not platform.exists()
    assert any("rm" in call for call in pulumi.calls)


def test_only_a_platform_folder_is_removed(strata: Strata, workplace: Path) -> None:
    """A folder that does not look like a platform's is left to its owner; nothing is removed without consent."""
    workplace.mkdir(parents=True)
    (workplace / "thesis.tex").write_text("x", encoding="utf-8")
    assert "add --yes" in strata("local", "purge").err
    shown = strata("local", "purge", "--yes")
    assert shown.code == 4
    assert "does not look like a platform folder" in shown.err
    assert (workplace / "thesis.tex").exists()


def test_a_link_is_never_followed_into_somebody_elses_folder(workplace: Path, tmp_path: Path) -> None:
    """A platform folder that is a link is not removed."""
    (tmp_path / "other" / "platform").mkdir(parents=True)
    workplace.parent.mkdir(parents=True)
    workplace.symlink_to(tmp_path / "other")
    with pytest.raises(Failure, match="or is a link"):
        purging.purge_folder(Screen(), record.load("demo-dev"))
    assert (tmp_path / "other" / "platform").is_dir()
