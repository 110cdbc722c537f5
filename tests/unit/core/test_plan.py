"""References are resolved once, files are frozen, credentials reach only who declared them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlstep import store
from mlstep.canonical import digest_file
from mlstep.errors import ConfigError
from mlstep.platform import Platform
from mlstep.runner import plan as plans
from mlstep.runner.definition import read_pipeline
from mlstep.runner.environment import step_environment
from mlstep.runner.plan import PlannedStep, Start, make_plan


@pytest.fixture
def platform(tmp_path: Path, credit_contract: Path) -> Platform:
    """A platform of stage 2 with one data product."""
    token = tmp_path / "token"
    token.write_text("not-for-everybody\n", encoding="utf-8")
    data = {
        "name": "applications",
        "contract": str(credit_contract),
        "source": "synthetic:credit?rows=10",
        "freshness_hours": 24,
    }
    identities = {"pipeline": {"user": "pipeline", "token_file": str(token)}}
    stages: dict[str, dict[str, Any]] = {
        "foundation": {"environment": "dev", "identities": identities},
        "governance": {"data": [data]},
        "registry": {"tracking_uri": "http://127.0.0.1:1", "default_model": "credit"},
        "pipelines": {"pipelines": [], "compute_classes": {"small": {"cpu": 0.5, "memory_gib": 1}}},
    }
    return Platform(tmp_path, stages)


def plan(
    folder: Path, platform: Platform | None, steps: dict[str, Any], parameters: dict[str, Any], **given: str
) -> tuple[list[PlannedStep], dict[str, Any]]:
    """The plan of a definition."""
    file = folder / "pipeline.yaml"
    content = {"pipeline_version": 1, "pipeline": "demo", "parameters": parameters, "steps": steps}
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    start = Start(root=folder, run="R", author="o.lind", parameters=given)
    return make_plan(read_pipeline(file), start, folder / "runs" / "demo" / "R", platform)


INGEST = {
    "in": {"contract": "${parameters.contract}"},
    "config": {"source": "${parameters.source}", "freshness_hours": "${data.freshness_hours?}"},
}
PARAMETERS = {
    "contract": {"type": "file", "default": "${data.contract}"},
    "source": {"type": "source", "default": "${data.source}"},
}


def test_governance_gives_source_and_contract(tmp_path: Path, platform: Platform) -> None:
    """Without parameters, the declared data is read under its declared freshness, from a frozen contract."""
    steps, facts = plan(tmp_path, platform, {"ingest": INGEST}, PARAMETERS)
    assert steps[0].config == {"source": "synthetic:credit?rows=10", "freshness_hours": 24}
    assert (steps[0].cpu, steps[0].memory_gib) == (0.5, 1.0)
    frozen = Path(steps[0].inputs["contract"])
    assert frozen.is_relative_to(tmp_path / "runs" / "demo" / "R" / "inputs")
    assert facts["files"]["contract"]["sha256"] == digest_file(frozen)
    assert (facts["model"], facts["champion"]) == ("credit", None)


def test_a_caller_s_own_source(tmp_path: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths start where the caller stands; the declared freshness is not about somebody's file."""
    monkeypatch.chdir(tmp_path)
    steps, _ = plan(tmp_path, platform, {"ingest": INGEST}, PARAMETERS, source="rows.csv")
    assert steps[0].config == {"source": str(tmp_path / "rows.csv")}


def test_values_keep_their_type_and_texts_are_filled_in(tmp_path: Path) -> None:
    """A reference alone keeps its type; inside text it is written out."""
    split = {
        "in": {"data": "ingest.data", "contract": "${parameters.contract}"},
        "config": {"seed": "${parameters.seed}", "by": "${parameters.by}"},
    }
    ingest = {**INGEST, "config": {"source": "${run.root}/${parameters.by}.csv"}}
    (tmp_path / "c.yaml").write_text(
        (Path(__file__).parents[3] / "pipelines/credit/applications.odcs.yaml").read_text(encoding="utf-8"),
        encoding="utf-8",
    )
    parameters = {
        "contract": {"type": "file", "default": "c.yaml"},
        "seed": {"type": "integer", "default": 3},
        "by": {"default": "time"},
    }
    steps, facts = plan(tmp_path, None, {"ingest": ingest, "split": split}, parameters, seed="11")
    assert steps[1].config == {"seed": 11, "by": "time"}
    assert steps[0].config["source"] == f"{tmp_path}/time.csv"
    assert facts["parameters"]["seed"] == 11


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"sede": "1"}, "sede: no such parameter"),
        ({"policy": "mine.yaml"}, "policy: fixed by the definition"),
        ({"seed": "many"}, "is no integer"),
        ({"contract": "gone.yaml"}, "no such file"),
    ],
)
def test_wrong_parameters_are_told(tmp_path: Path, platform: Platform, given: dict[str, str], told: str) -> None:
    """Unknown, fixed, of the wrong type, or a file that is not there."""
    parameters = {
        **PARAMETERS,
        "seed": {"type": "integer", "default": 1},
        "policy": {"type": "file", "default": "p.yaml", "fixed": True},
    }
    split = {
        "in": {"data": "ingest.data", "contract": "${parameters.contract}"},
        "config": {"seed": "${parameters.seed}"},
    }
    with pytest.raises(ConfigError, match=told):
        plan(tmp_path, platform, {"ingest": INGEST, "split": split}, parameters, **given)


def test_a_missing_value_is_told(tmp_path: Path) -> None:
    """Without a platform, a reference into it has no value, and the message says how to give one."""
    with pytest.raises(ConfigError, match=r"\$\{data.contract\} has no value"):
        plan(tmp_path, None, {"ingest": INGEST}, PARAMETERS)


def test_the_champion_is_frozen(tmp_path: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """`${champion.model?}` is the verified folder in the store, or left away; changed bytes are refused."""
    from mlstep import history
    from mlstep.errors import IntegrityError

    evaluate = {
        "step": "evaluate",
        "in": {"model": "ingest.data", "test": "ingest.data", "train": "ingest.data", "champion": "${champion.model?}"},
    }
    steps, _ = plan(tmp_path, platform, {"ingest": INGEST, "evaluate": evaluate}, PARAMETERS)
    assert "champion" not in steps[1].inputs
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text("{}", encoding="utf-8")
    digest = store.put(tmp_path, tmp_path / "model")
    names = (
        "previous",
        "time",
        "kind",
        "by",
        "reason",
        "author",
        "evidence_digest",
        "policy_digest",
        "run",
        "pipeline",
    )
    blank = dict.fromkeys(names, "")
    entry = history.Entry(sequence=1, model="credit", version=4, model_digest=digest, statement=None, **blank)
    monkeypatch.setattr(history, "current", lambda *_: entry)
    steps, facts = plan(tmp_path, platform, {"ingest": INGEST, "evaluate": evaluate}, PARAMETERS)
    assert steps[1].inputs["champion"] == str(store.folder(tmp_path, digest))
    assert facts["champion"] == {"version": 4, "digest": digest}
    stored = store.folder(tmp_path, digest) / "model.json"
    stored.chmod(0o600)
    stored.write_text("{ }", encoding="utf-8")
    with pytest.raises(IntegrityError, match="were changed"):
        plan(tmp_path, platform, {"ingest": INGEST, "evaluate": evaluate}, PARAMETERS)


def test_credentials_reach_only_who_declared_them(
    tmp_path: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that uses tracking gets its three variables; another gets none, nor anything of the caller's."""
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "the caller's")
    monkeypatch.setenv("MY_SECRET", "the caller's")
    steps, _ = plan(tmp_path, platform, {"ingest": INGEST}, PARAMETERS)
    plain = step_environment(steps[0], platform, 2)
    assert not [name for name in plain if name.startswith("MLFLOW")]
    assert "MY_SECRET" not in plain
    tracked = step_environment(replace(steps[0], uses=["tracking"]), platform, 2)
    assert (tracked["MLFLOW_TRACKING_USERNAME"], tracked["MLFLOW_TRACKING_PASSWORD"]) == (
        "pipeline",
        "not-for-everybody",
    )
    assert "not-for-everybody" not in json.dumps(plans.to_record(steps))
