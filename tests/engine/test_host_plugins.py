"""Our language host and the things beside a program: policy packs, plugins in Python, and the end of the engine."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.harness import Engine

PROJECT = "name: scratch\nruntime: {name: python, options: {toolchain: pip, virtualenv: .venv}}\n"
PACK = "version: 0.1.0\nruntime: {name: python, options: {toolchain: pip, virtualenv: .venv}}\n"
RULE = """
def is_allowed(urn):
    return not urn.endswith("::forbidden")
"""
PACK_PROGRAM = """
import threading
from concurrent import futures

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2
from rules.names import is_allowed

class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="0.1.0")

    def GetAnalyzerInfo(self, request, context):
        policy = analyzer_pb2.PolicyInfo(name="names", enforcementLevel=analyzer_pb2.MANDATORY)
        return analyzer_pb2.AnalyzerInfo(name="scratch-pack", version="0.1.0", policies=[policy])

    def Configure(self, request, context):
        return empty_pb2.Empty()

    def Analyze(self, request, context):
        return analyzer_pb2.AnalyzeResponse()

    def AnalyzeStack(self, request, context):
        answer = analyzer_pb2.AnalyzeResponse()
        for resource in request.resources:
            if not is_allowed(resource.urn):
                answer.diagnostics.add(
                    policyName="names", policyPackName="scratch-pack", policyPackVersion="0.1.0", urn=resource.urn,
                    message="nothing may be called forbidden", enforcementLevel=analyzer_pb2.MANDATORY,
                )
        return answer

server = grpc.server(futures.ThreadPoolExecutor(4))
analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(), server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
threading.Event().wait()
"""
SLOW = """
import os, time
from pathlib import Path
import pulumi
from pulumi import dynamic

class Provider(dynamic.ResourceProvider):
    def create(self, props):
        Path(props["file"]).write_text(str(os.getpid()))
        time.sleep(600)
        return dynamic.CreateResult("id", props)

class Slow(dynamic.Resource):
    def __init__(self, name, file):
        super().__init__(Provider(), name, {"file": file})
"""

pytestmark = pytest.mark.usefixtures("own_host")


@pytest.fixture
def project(tmp_path: Path, program_environment: Path) -> Path:
    """A project whose program a test writes."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(PROJECT)
    (folder / ".venv").symlink_to(program_environment)
    return folder


@pytest.fixture
def pack(tmp_path: Path, policies_environment: Path) -> Path:
    """A policy pack with a rule in a package of its own, and its own environment."""
    folder = tmp_path / "pack"
    (folder / "rules").mkdir(parents=True)
    (folder / "PulumiPolicy.yaml").write_text(PACK)
    (folder / "__main__.py").write_text(PACK_PROGRAM)
    (folder / "rules" / "__init__.py").touch()
    (folder / "rules" / "names.py").write_text(RULE)
    (folder / ".venv").symlink_to(policies_environment)
    return folder


def _component(name: str) -> str:
    return f"import pulumi\npulumi.ComponentResource('scratch:index:Box', {name!r}).register_outputs({{}})\n"


def test_pack_lets_pass_and_refuses(engine: Engine, project: Path, pack: Path) -> None:
    """A mandatory policy stops `preview` and `up` with its name and message, and only when it is broken."""
    (project / "__main__.py").write_text(_component("welcome"))
    good = engine.preview(project, "pack", packs=[pack])
    assert good.ok, good.output
    assert good.violations == []
    (project / "__main__.py").write_text(_component("forbidden"))
    for operation in (engine.preview, engine.up):
        bad = operation(project, "pack", packs=[pack])
        assert not bad.ok
        assert [(name, level) for name, level, _ in bad.violations] == [("names", "mandatory")], bad.output
        assert "nothing may be called forbidden" in bad.output


def test_pack_on_an_exported_state(engine: Engine, project: Path, pack: Path, tmp_path: Path) -> None:
    """`policy analyze` needs neither program nor stack: the host starts outside of any project."""
    (project / "__main__.py").write_text(_component("forbidden"))
    built = engine.up(project, "analyze")
    assert built.ok, built.output
    state = tmp_path / "state.json"
    state.write_text(json.dumps(engine.export(project, "analyze")))
    found = engine.command(tmp_path, "policy", "analyze", "--file", str(state), "--policy-pack", str(pack))
    assert "nothing may be called forbidden" in found.output
    assert not found.ok


def test_broken_pack(engine: Engine, project: Path, pack: Path) -> None:
    """A pack that cannot start fails the command and shows the lines of the pack that failed."""
    (project / "__main__.py").write_text(_component("welcome"))
    (pack / "rules" / "names.py").write_text("import absent_module\n")
    result = engine.preview(project, "broken-pack", packs=[pack])
    assert not result.ok
    assert "absent_module" in result.output


def test_about_and_dependencies(engine: Engine, project: Path, program_environment: Path) -> None:
    """`pulumi about` shows the project's Python and the packages that nobody else needs."""
    (project / "__main__.py").write_text(_component("welcome"))
    found = json.loads(engine.command(project, "about", "--json").output)
    assert found["runtime"]["executable"].startswith(str(project))
    names = {item["name"] for item in found["dependencies"]}
    assert "typer" in names
    assert "protobuf" not in names


def test_nothing_outlives_a_killed_engine(
    engine: Engine, project: Path, tmp_path: Path, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    """`kill -9` of the engine while a resource is being made ends host, program and provider."""
    marker = tmp_path / "provider.pid"
    (project / "slow.py").write_text(SLOW)
    (project / "__main__.py").write_text(f"import slow\nslow.Slow('a', {str(marker)!r})\n")
    engine.command(project, "stack", "init", "killed")
    before = _processes_with(str(project))
    command = [str(engine.programs / "pulumi"), "up", "--stack", "killed", "--skip-preview", "--non-interactive"]
    running = subprocess.Popen(command, cwd=project, env=engine.variables, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: marker.is_file() and marker.read_text() != "")
        assert _processes_with(str(project)) > before
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    eventually(lambda: _processes_with(str(project)) <= before)
    eventually(lambda: not _is_alive(int(marker.read_text())))


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Waits for a condition, for as long as a busy machine may need."""

    def wait(condition: Callable[[], bool]) -> None:
        until = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < until, "the condition did not come true"
            time.sleep(0.1)

    return wait


def _processes_with(text: str) -> set[str]:
    """Ids of the processes that name `text` on their command line."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in listing.splitlines() if text in line}


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
