"""The first day: one command gives a champion that answers, and every answer can be traced."""

import json
import subprocess
from pathlib import Path

import httpx
import polars
import pytest

from mlstep.data.synthetic import generate
from tests.journey.conftest import STACK, Workspace

PROCESSES = {"mlflow", "prediction", "portal", "scheduler", "challenger", "receiver", "alerting", "features"}


def rows(count: int, seed: int = 11) -> list[dict[str, object]]:
    """Applications as a caller of the service knows them: without outcome."""
    frame = generate(count, seed).drop("defaulted", "true_probability", strict=False)
    return json.loads(frame.write_json())  # type: ignore[no-any-return]


def test_up_ends_with_a_champion_that_answers(first_up: subprocess.CompletedProcess[str], workspace: Workspace) -> None:
    """The last lines name the champion, its metrics, the policy verdict, the addresses and what to try next."""
    for part in (
        "credit v1",
        "AUC",
        "controls",
        workspace.url(2),
        workspace.url(0),
        "strata trace",
        "strata drift demo",
    ):
        assert part in first_up.stdout, first_up.stdout
    assert workspace.predict(rows(1)[0])["model"] == "credit"


def test_every_process_runs_under_the_supervisor(workspace: Workspace) -> None:
    """All eight services of stage four are there, each under its mark, none twice."""
    assert set(workspace.processes()) >= PROCESSES


def test_second_up_changes_nothing_and_says_so(workspace: Workspace) -> None:
    """The same command again leaves every resource and the champion as they are."""
    before = workspace.processes()
    again = workspace.strata("up", "--stack", STACK)
    assert "0 changes" in again.stdout
    assert workspace.processes() == before


def test_mlflow_refuses_strangers(workspace: Workspace) -> None:
    """Without credentials, and with the passwords that used to be the default, nothing is readable."""
    url = workspace.url(0, "/api/2.0/mlflow/registered-models/search")
    for login in (None, ("admin", "password"), ("admin", "password1234")):
        assert httpx.get(url, auth=login, timeout=30).status_code in {401, 403}


def test_a_broken_request_gets_a_defined_answer(workspace: Workspace) -> None:
    """Production always answers: nonsense gets the fallback and its reason, not an error."""
    answer = workspace.predict({"income": "a lot", "unknown": 3})
    assert answer["fallback"] is True
    assert answer["fallback_reason"]
    assert 0 <= answer["score"] <= 1


def test_answers_are_logged_with_their_inputs(workspace: Workspace) -> None:
    """What was asked is in the prediction log under the answer's request id."""
    row = rows(1, seed=5)[0]
    answer = workspace.predict(row)
    shown = json.loads(workspace.strata("trace", answer["request_id"], "--stack", STACK, "--json").stdout)
    assert str(row["income"])[:6] in json.dumps(shown)


def test_trace_verifies_every_link(workspace: Workspace) -> None:
    """Model, history, statement, data, code, run and gate behind an answer all verify, and people are named."""
    answer = workspace.predict(rows(1, seed=6)[0])
    traced = workspace.strata("trace", answer["request_id"], "--stack", STACK)
    assert answer["model_digest"][:8] in traced.stdout
    assert "r.holm@demo.example" in traced.stdout
    links = json.loads(workspace.mlstep("trace", "--root", str(workspace.root), answer["request_id"], "--json").stdout)[
        "links"
    ]
    broken = [link for link in links if link["state"] == "broken"]
    assert broken == []
    assert {"model", "champion", "statement", "author", "data", "code", "run", "gate"} <= {
        link["link"] for link in links
    }


def test_unknown_prediction_is_a_clear_error(workspace: Workspace) -> None:
    """An id that nobody answered is said to be unknown."""
    done = workspace.strata("trace", "01ABCDEFGHJKMNPQRSTVWXYZ00", "--stack", STACK, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr


def test_batch_scoring_is_logged_like_the_service(workspace: Workspace, tmp_path: Path) -> None:
    """A file in, a file of scores out, and a prediction record for each row."""
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    generate(500, 21).write_parquet(source)
    arguments = ["--root", str(workspace.root), "--model", "credit", "--in", str(source), "--out", str(target)]
    workspace.mlstep("score", *arguments)
    scored = polars.read_parquet(target)
    assert scored.height == 500
    assert scored["score"].is_between(0, 1).all()
    traced = workspace.mlstep("trace", "--root", str(workspace.root), scored["request_id"][0], "--json")
    assert json.loads(traced.stdout)["links"]


@pytest.mark.parametrize(
    "path",
    ["/", "/models/credit", "/catalog/applications", "/monitoring/", "/runs/", "/policies/", "/models/credit/v1/gate"],
)
def test_portal_pages_are_there(workspace: Workspace, path: str) -> None:
    """Each page of the portal answers and is self-contained."""
    page = httpx.get(workspace.url(2, path), timeout=30)
    assert page.status_code == 200
    assert "https://" not in page.text.replace("https://bitol.io", "")


def test_status_says_what_is_reached(workspace: Workspace) -> None:
    """Stage four is configured, and the champion and its health are shown."""
    status = json.loads(workspace.strata("status", "--stack", STACK, "--json").stdout)
    assert status
    assert "credit" in json.dumps(status)


def test_secrets_are_nowhere_in_plain_text(workspace: Workspace) -> None:
    """No value below secrets/ appears in logs, platform files, runs, the engine's state or a command line."""
    values = {
        path.read_text(encoding="utf-8").strip() for path in (workspace.root / "secrets").iterdir() if path.is_file()
    }
    values = {value for value in values if len(value) >= 12}
    assert values
    places = [workspace.root / name for name in ("logs", "platform", "runs", "champions", "metrics", "alerts", "site")]
    places.append(workspace.folder / "state")
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    command_lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    public = {signer["public_key"] for signer in workspace.stage("foundation")["signers"]}
    leaked = [str(file) for file in files if any(value.encode() in file.read_bytes() for value in values - public)]
    assert leaked == []
    assert not any(value.encode() in line for line in command_lines for value in values)
