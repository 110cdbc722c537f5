# ruff: noqa: N802  (the names of gRPC methods are given)
"""Speaks the engine's analyzer protocol (`pulumi.runtime.proto.analyzer_pb2_grpc`); only this module imports Pulumi.

The protocol is spoken here, not through the policy SDK, because four things need what the SDK hides from a policy:
which values are secret, that a configuration file switched a control off, a level per finding (an excepted one is
advisory, an error always mandatory), and the inputs of resources while the stack as a whole is judged.
See docs/adr/0005-policy-catalogue-first.md.
"""

import os
import sys
import threading
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import yaml
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2 as pb
from pulumi.runtime.proto import analyzer_pb2_grpc, plugin_pb2

from policies import config, normalise
from policies.controls import load_catalogue
from policies.evaluate import Evaluator, load_rules
from policies.model import Control, Level, Resource, Result, Stack, Verdict
from policies.register import load_register
from policies.reports import report
from policies.source import InvalidSourceError
from policies.values import Properties

REPORT_VARIABLE = "STRATA_POLICY_REPORT"
"""Where the verdicts of a run are written as JSON; unset, they are not written."""
_MAXIMUM_MESSAGE_BYTES = 400 * 1024 * 1024
_LEVELS = {Level.OFF: pb.DISABLED, Level.ADVISORY: pb.ADVISORY, Level.MANDATORY: pb.MANDATORY}
_SEVERITIES = {
    "low": pb.POLICY_SEVERITY_LOW,
    "medium": pb.POLICY_SEVERITY_MEDIUM,
    "high": pb.POLICY_SEVERITY_HIGH,
    "critical": pb.POLICY_SEVERITY_CRITICAL,
}
_FOREIGN = "the control is not about this type of resource"


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine for one stack operation."""

    def __init__(self, pack: Path) -> None:
        about = yaml.safe_load((pack / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
        self._version = str(about["version"])
        self._description = str(about["description"])
        self._catalogue = load_catalogue(pack / "catalogue")
        self._clock = config.today(os.environ)
        self._register = load_register(self._catalogue, self._clock.day, pack / "exceptions.yaml")
        self._rules = load_rules(self._catalogue)
        self._preview = os.environ.get("PULUMI_DRY_RUN") == "true"
        self._evaluator: Evaluator | None = None
        self._seen: dict[str, Resource] = {}
        self._lock = threading.Lock()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Return the pack's version."""
        return plugin_pb2.PluginInfo(version=self._version)

    def GetAnalyzerInfo(self, request: Any, context: grpc.ServicerContext) -> pb.AnalyzerInfo:
        """Return what the catalogue says about each control, with the strictest level it has anywhere."""
        policies = [_policy_info(control) for control in self._catalogue.controls]
        return pb.AnalyzerInfo(
            name=config.PACK,
            displayName="Strata controls",
            version=self._version,
            description=self._description,
            supportsConfig=True,
            policies=policies,
        )

    def Configure(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Refuse a configuration that names an unknown control or weakens one."""
        asked = {name: _asked(entry) for name, entry in request.policyConfig.items()}
        problems = config.problems_of(self._catalogue, asked)
        if problems:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(InvalidSourceError(problems, config.REFUSED)))
        return empty_pb2.Empty()

    def ConfigureStack(self, request: Any, context: grpc.ServicerContext) -> pb.AnalyzerStackConfigureResponse:
        """Learn which stack this is, and whether this is a preview."""
        with self._lock:
            self._preview = bool(request.dry_run)
            # A new operation: nothing that an earlier one saw may count.
            self._evaluator = self._for(request.stack)
            self._seen.clear()
        return pb.AnalyzerStackConfigureResponse()

    def Analyze(self, request: Any, context: grpc.ServicerContext) -> pb.AnalyzeResponse:
        """Judge one resource by its inputs, before anything is created."""
        inputs = Properties.of(json_format.MessageToDict(request.properties))
        resource = Resource(request.urn, request.type, inputs, protect=bool(request.options.protect))
        with self._lock:
            evaluator = self._of(request.urn)
            self._seen[request.urn] = resource
            results = evaluator.check_resource(resource)
            if any(result.blocks for result in results):
                # The engine may stop here and never ask about the stack.
                self._write(evaluator)
        response = pb.AnalyzeResponse()
        self._fill(response, results)
        judged = {result.control for result in results}
        for control in self._catalogue.controls:
            if control.kind == "resource" and control.id not in judged:
                response.not_applicable.add(policy_name=control.id, reason=_FOREIGN)
        return response

    def AnalyzeStack(self, request: Any, context: grpc.ServicerContext) -> pb.AnalyzeResponse:
        """Judge the stack as a whole: the inputs seen before, joined with the outputs that the engine hands over."""
        with self._lock:
            resources = tuple(self._joined(resource) for resource in request.resources)
            evaluator = self._of(resources[0].urn if resources else "")
            results = evaluator.check_stack(Stack(evaluator.stack_name, resources, self._preview))
            self._write(evaluator)
        response = pb.AnalyzeResponse()
        self._fill(response, results)
        return response

    def Remediate(self, request: Any, context: grpc.ServicerContext) -> pb.RemediateResponse:
        """Rewrite nothing: no control of the catalogue asks the engine for it."""
        return pb.RemediateResponse()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Nothing runs between two calls."""
        return empty_pb2.Empty()

    def _joined(self, resource: Any) -> Resource:
        outputs = Properties.of(json_format.MessageToDict(resource.properties))
        seen = self._seen.get(resource.urn)
        # Not analysed in this run (a targeted update, for example): what is recorded stands for the inputs.
        inputs = seen.inputs if seen else outputs
        return Resource(resource.urn, resource.type, inputs, outputs, bool(resource.options.protect))

    def _of(self, urn: str) -> Evaluator:
        if self._evaluator is None:
            self._evaluator = self._for(normalise.stack_of(urn))
        return self._evaluator

    def _for(self, stack: str) -> Evaluator:
        return Evaluator(self._catalogue, self._register, self._rules, stack)

    def _fill(self, response: pb.AnalyzeResponse, results: list[Result]) -> None:
        for result in results:
            control = self._catalogue[result.control]
            if result.verdict is Verdict.NOT_APPLICABLE:
                response.not_applicable.add(
                    policy_name=control.id, reason="; ".join(found.found for found in result.findings)
                )
                continue
            for finding in result.findings:
                response.diagnostics.add(
                    policyName=control.id,
                    policyPackName=config.PACK,
                    policyPackVersion=self._version,
                    description=control.title,
                    message=finding.message,
                    urn=finding.urn,
                    enforcementLevel=pb.MANDATORY if result.blocks else pb.ADVISORY,
                    severity=_SEVERITIES[control.severity],
                )

    def _write(self, evaluator: Evaluator) -> None:
        path = os.environ.get(REPORT_VARIABLE)
        if path:
            content = report.build(evaluator, self._clock, preview=self._preview)
            report.write(Path(path), report.as_json(content))


def _policy_info(control: Control) -> pb.PolicyInfo:
    return pb.PolicyInfo(
        name=control.id,
        displayName=control.title,
        description=control.intent,
        message=control.required,
        enforcementLevel=_LEVELS[control.strictest],
        severity=_SEVERITIES[control.severity],
        policy_type=pb.POLICY_TYPE_RESOURCE if control.kind == "resource" else pb.POLICY_TYPE_STACK,
        tags=[f"{name}: {reference}" for name, references in control.maps_to.items() for reference in references],
        remediation_steps=control.remedy,
        url=control.page,
    )


def _asked(entry: pb.PolicyConfig) -> config.Asked:
    level = str(pb.EnforcementLevel.Name(entry.enforcementLevel)).lower()
    return config.Asked(level, tuple(sorted(entry.properties)))


def serve(pack: Path) -> None:
    """Serve the pack until the engine ends the process; its port is the first line on standard output.

    Exits with 1 and every problem on standard error if catalogue, rules or register are not valid: nothing is deployed.
    """
    try:
        analyzer = Analyzer(pack)
    except InvalidSourceError as error:
        sys.exit(str(error))
    options = [("grpc.max_receive_message_length", _MAXIMUM_MESSAGE_BYTES)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=options)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(analyzer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
