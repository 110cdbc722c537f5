"""Logs are rotated by the supervisor: what it is told, read as it reads it."""

from configparser import RawConfigParser
from pathlib import Path

from supervisor.datatypes import byte_size

from components._kit import supervisord
from components._kit.program import Program


def _program(root: Path) -> Program:
    return Program(
        root=str(root),
        name="mlflow",
        python="/srv/python",
        command=["/srv/mlflow"],
        port=25100,
        health="/health",
        health_timeout_seconds=1.0,
        env={},
        secret_env={},
        configuration={},
    )


def _section(text: str, name: str) -> dict[str, str]:
    parser = RawConfigParser()
    parser.read_string(text)
    return dict(parser[name])


def test_every_log_has_an_end(tmp_path: Path) -> None:
    """A process keeps at most 60 MB of log, the supervisor 20 MB, both in the log folder."""
    program = _program(tmp_path)
    ini = program.files[supervisord.programs(str(tmp_path)) / "mlflow.ini"].decode()
    told = _section(ini, "program:mlflow")
    own = _section(supervisord.config(str(tmp_path)).decode(), "supervisord")
    assert told["stdout_logfile"] == str(tmp_path / "logs" / "mlflow.log") == str(program.log)
    assert told["redirect_stderr"] == "true"
    assert byte_size(told["stdout_logfile_maxbytes"]) * (1 + int(told["stdout_logfile_backups"])) == 60 * 1024**2
    assert own["logfile"] == str(tmp_path / "logs" / "supervisord.log")
    assert byte_size(own["logfile_maxbytes"]) * (1 + int(own["logfile_backups"])) == 20 * 1024**2
