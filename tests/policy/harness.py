"""Starts the pack as the engine does and speaks the engine's side of the analyzer protocol."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as pb
from pulumi.runtime.proto import analyzer_pb2_grpc

from tests.policy.cases import Case

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "policies"
PYTHON = PACK / ".venv" / "bin" / "python"
START_SECONDS = 60


@dataclass
class Answer:
    """What the pack said about one stack."""

    report: dict[str, Any]
    diagnostics: list[Any] = field(default_factory=list)
    not_applicable: list[Any] = field(default_factory=list)

    def verdict(self, control: str) -> str:
        """Verdict of a control in the report."""
        return str(self.control(control)["verdict"])

    def control(self, identifier: str) -> dict[str, Any]:
        """A control's entry in the report."""
        return next(entry for entry in self.report["controls"] if entry["id"] == identifier)

    def messages(self, control: str) -> list[str]:
        """What the engine is given to show about a control."""
        return [found.message for found in self.diagnostics if found.policyName == control]

    def levels(self, control: str) -> set[str]:
        """Levels of what the engine is given to show about a control."""
        found = {entry.enforcementLevel for entry in self.diagnostics if entry.policyName == control}
        return {pb.EnforcementLevel.Name(level).lower() for level in found}

    def firing(self) -> set[str]:
        """Controls that are broken, or failed themselves."""
        return {entry["id"] for entry in self.report["controls"] if entry["verdict"] in ("fail", "error")}


class Pack:
    """A running pack."""

    def __init__(self, stub: Any, report: Path) -> None:
        self.stub = stub
        self._report = report

    def judge(self, case: Case) -> Answer:
        """Let the pack judge a stack: every resource, then the stack as a whole."""
        self.stub.ConfigureStack(pb.AnalyzerStackConfigureRequest(stack=case.stack, dry_run=case.preview))
        self._report.unlink(missing_ok=True)
        answers = [self.stub.Analyze(_analyze_request(case, resource)) for resource in case.resources]
        stack_request = pb.AnalyzeStackRequest(resources=[_stack_resource(case, entry) for entry in case.resources])
        answers.append(self.stub.AnalyzeStack(stack_request))
        answer = Answer(json.loads(self._report.read_text(encoding="utf-8")))
        for part in answers:
            answer.diagnostics.extend(part.diagnostics)
            answer.not_applicable.extend(part.not_applicable)
        return answer

    def information(self) -> Any:
        """What the pack tells the engine about its policies."""
        return self.stub.GetAnalyzerInfo(empty_pb2.Empty())

    def configure(self, levels: Mapping[str, str]) -> None:
        """Hand over a configuration, as the engine does with the content of `--policy-pack-config`."""
        entries = {
            name: pb.PolicyConfig(enforcementLevel=pb.EnforcementLevel.Value(level.upper()))
            for name, level in levels.items()
        }
        self.stub.Configure(pb.ConfigureAnalyzerRequest(policyConfig=entries))


def start(pack: Path, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Start a pack as the language host does: `python -u -m pulumi.policy ENGINE PACK_DIR`."""
    command = [str(PYTHON), "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(pack)]
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.Popen(
        command,
        env={**known, **environment},
        cwd=pack.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(folder: Path, pack: Path = PACK, **environment: str) -> Iterator[Pack]:
    """A pack that runs for a while; `folder` receives its report."""
    report = folder / "policy-report.json"
    process = start(pack, {"STRATA_POLICY_REPORT": str(report), **environment})
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port.isdigit():
            _, errors = process.communicate(timeout=START_SECONDS)
            raise AssertionError(f"the pack did not start: {errors}")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=START_SECONDS)
            yield Pack(analyzer_pb2_grpc.AnalyzerStub(channel), report)
    finally:
        process.terminate()
        process.communicate(timeout=START_SECONDS)


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    message.update(values)
    return message


def _analyze_request(case: Case, resource: Mapping[str, Any]) -> pb.AnalyzeRequest:
    return pb.AnalyzeRequest(
        urn=case.urn(resource),
        type=resource["type"],
        name=resource["name"],
        properties=_struct(resource.get("inputs", {})),
        options=pb.AnalyzerResourceOptions(protect=bool(resource.get("protect"))),
    )


def _stack_resource(case: Case, resource: Mapping[str, Any]) -> pb.AnalyzerResource:
    return pb.AnalyzerResource(
        urn=case.urn(resource),
        type=resource["type"],
        name=resource["name"],
        # As the engine does: only outputs.
        properties=_struct(resource.get("outputs", {})),
        options=pb.AnalyzerResourceOptions(protect=bool(resource.get("protect"))),
    )
