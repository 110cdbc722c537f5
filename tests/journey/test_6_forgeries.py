"""Somebody tries to get a model past its approval: each attempt is refused with its reason, and nothing is promoted."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journey.conftest import STACK, Workspace
from tests.journey.test_3_refusals import history

RISK = "r.holm@demo.example"


@dataclass(frozen=True)
class Signed:
    """A candidate that was signed and not promoted: the folder of its run, and the statement's file."""

    run: Path
    statement: Path

    @property
    def candidate(self) -> dict[str, object]:
        """What `register` said."""
        content: dict[str, object] = json.loads((self.run / "register/candidate/candidate.json").read_text("utf-8"))
        return content


def newest_run(workspace: Workspace) -> Path:
    """Names of runs sort by time."""
    return max((workspace.root / "runs/credit").iterdir())


@pytest.fixture(scope="module")
def signed(workspace: Workspace) -> Signed:
    """A candidate that everything speaks for."""
    root = str(workspace.root)
    workspace.mlstep("run", "credit", "--root", root, "--author", "j.ek@demo.example", timeout=600)
    run = newest_run(workspace)
    version = json.loads((run / "register/candidate/candidate.json").read_text(encoding="utf-8"))["version"]
    done = workspace.mlstep("sign", "credit", str(version), "--as", "risk", "--root", root, "--json")
    return Signed(run, Path(json.loads(done.stdout)["statement"]))


def refused(workspace: Workspace, statement: Path) -> str:
    """Why a promotion was refused; the history is as it was."""
    before = history(workspace)
    done = workspace.mlstep("promote", "--root", str(workspace.root), "--statement", str(statement), check=False)
    assert done.returncode not in {0, 1}, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert history(workspace) == before
    return done.stderr


@contextmanager
def changed(path: Path, text: str | None) -> Iterator[None]:
    """A file with other content, or without it gone, for a while; also a read-only one in a read-only folder."""
    content, mode, folder_mode = path.read_bytes(), path.stat().st_mode, path.parent.stat().st_mode
    path.parent.chmod(0o700)
    path.chmod(0o600)
    try:
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")
        yield
    finally:
        path.write_bytes(content)
        path.chmod(mode)
        path.parent.chmod(folder_mode)


def test_statement_with_other_words(workspace: Workspace, signed: Signed, tmp_path: Path) -> None:
    """One word changed after signing: the signature is no longer the signer's."""
    content = json.loads(signed.statement.read_text(encoding="utf-8"))
    content["statement"]["reason"] = "looked fine to me"
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(content), encoding="utf-8")
    assert f"the signature is not {RISK}'s" in refused(workspace, forged)


def test_changed_bytes_of_the_model(workspace: Workspace, signed: Signed) -> None:
    """One file of the signed model edited in the store."""
    digest = str(signed.candidate["digest"])
    with changed(workspace.root / "artifacts/store/sha256" / digest / "model.json", "{}"):
        said = refused(workspace, signed.statement)
    assert "were changed" in said or "bytes differ" in said


def test_report_that_is_gone(workspace: Workspace, signed: Signed) -> None:
    """A report removed after the signature: neither promoted, nor signed again."""
    missing = "plausibility: its report is missing"
    with changed(signed.run / "plausibility/report/report.json", None):
        assert missing in refused(workspace, signed.statement)
        version = f"v{signed.candidate['version']}"
        again = workspace.strata("sign", "credit", version, "--as", "risk", "--yes", "--stack", STACK, check=False)
    assert again.returncode != 0
    assert missing in again.stdout + again.stderr


def test_nobody_approves_an_own_model(workspace: Workspace) -> None:
    """The registered signer trains a model: a signature under it is refused by name."""
    before = history(workspace)
    source = ["--parameter", "source=synthetic:credit?rows=10000&seed=9"]
    # Whatever the gate says of so few rows: who trained is looked at first.
    arguments = ["--root", str(workspace.root), *source, "--author", RISK]
    workspace.mlstep("run", "credit", *arguments, check=False, timeout=600)
    candidate = json.loads((newest_run(workspace) / "register/candidate/candidate.json").read_text(encoding="utf-8"))
    assert candidate["author"] == RISK
    version = f"v{candidate['version']}"
    done = workspace.strata("sign", "credit", version, "--as", "risk", "--yes", "--stack", STACK, check=False)
    assert done.returncode != 0
    assert "cannot approve it" in done.stdout + done.stderr
    assert history(workspace) == before
