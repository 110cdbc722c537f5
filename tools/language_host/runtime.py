"""The `LanguageRuntime` service: what the engine asks of a language host."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format

from tools.language_host import packages
from tools.language_host.options import OptionError, Options, parse
from tools.language_host.processes import Children, output_of
from tools.language_host.stubs import messages, plugins, services

EXECUTOR = Path(__file__).with_name("executor.py")
MESSAGE_SHOWN = 32  # the executor's exit code for "the user has seen the error"


class PythonRuntime(services.LanguageRuntimeServicer):
    """Runs Python programs, plugins and policy packs for one engine."""

    def __init__(self, engine: str, version: str, children: Children, stop: Callable[[], None]) -> None:
        self._engine = engine
        self._version = version
        self._children = children
        self._stop = stop

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._engine = request.engine_address or self._engine
        return messages.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugins.PluginInfo(version=self._version)

    def GetRequiredPlugins(self, request: Any, context: grpc.ServicerContext) -> Any:
        # Deprecated: the engine asks for packages first and comes here only when that is not implemented.
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "use GetRequiredPackages")

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        options = _options(request.info, context)
        if not options.has_environment and not (options.environment_folder or Path()).exists():
            self._install(options, Path(request.info.program_directory), context)
        found = packages.required_plugins(_installed(options, context))
        return messages.GetRequiredPackagesResponse(packages=[_dependency(plugin) for plugin in found])

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        found = _installed(_options(request.info, context), context)
        wanted = [package for package in found if request.transitiveDependencies or not package.required]
        return messages.GetProgramDependenciesResponse(
            dependencies=[messages.DependencyInfo(name=package.name, version=package.version) for package in wanted]
        )

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        options = _options(request.info, context) if request.HasField("info") else Options(Path.cwd(), "")
        show = "import platform, sys; print(sys.executable); print(platform.python_version())"
        child = self._children.start([_python(options, context), "-c", show], Path.cwd(), os.environ, piped=True)
        text = b"".join(chunk for name, chunk in output_of(child) if name == "stdout").decode()
        if self._children.wait(child) != 0:
            context.abort(grpc.StatusCode.INTERNAL, f"{options.python()} does not start")
        executable, version = text.split("\n")[:2]
        return messages.AboutResponse(executable=executable, version=version)

    def RuntimeOptionsPrompts(self, request: Any, context: grpc.ServicerContext) -> Any:
        given = json_format.MessageToDict(request.info.options)
        prompts = [
            _prompt(key, text, value)
            for key, text, value in (
                ("toolchain", "The toolchain to use for installing dependencies and running the program", "pip"),
                ("virtualenv", "The virtualenv to use", "venv"),
            )
            if key not in given
        ]
        return messages.RuntimeOptionsResponse(prompts=prompts)

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        options = _options(request.info, context, plugin=request.is_plugin)
        folder = Path(request.info.program_directory)
        for command in _install_commands(options, folder, context):
            child = self._children.start(command, folder, options.activated(os.environ), piped=True)
            for name, chunk in output_of(child):
                yield messages.InstallDependenciesResponse(**{name: chunk})
            code = self._children.wait(child)
            if code != 0:
                context.abort(grpc.StatusCode.UNKNOWN, f"`{' '.join(command)}` ended with exit code {code}")

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        options = _options(request.info, context)
        command = [_python(options, context), "-P", "-u", str(EXECUTOR), *self._executor_arguments(request)]
        environment = options.activated(os.environ)
        # Configuration travels in the environment, never on the command line: it holds secrets.
        environment["PULUMI_CONFIG"] = json.dumps(dict(request.config))
        environment["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
        child = self._children.start(command, Path(request.pwd or "."), environment, piped=False)
        context.add_callback(lambda: self._children.stop(child))
        code = self._children.wait(child)
        if code == MESSAGE_SHOWN:
            return messages.RunResponse(bail=True)
        if code != 0:
            ending = f"ended by signal {-code}" if code < 0 else f"exited with non-zero exit code: {code}"
            return messages.RunResponse(error=f"Program {ending}")
        return messages.RunResponse()

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        options = _options(request.info, context, plugin=True)
        command = [_python(options, context), "-u", *_plugin_arguments(request)]
        environment = dict(entry.split("=", 1) for entry in request.env) if request.env else dict(os.environ)
        child = self._children.start(command, Path(request.pwd or "."), options.activated(environment), piped=True)
        context.add_callback(lambda: self._children.stop(child))
        for name, chunk in output_of(child):
            is_error = name == "stderr"
            yield messages.RunPluginResponse(stderr=chunk) if is_error else messages.RunPluginResponse(stdout=chunk)
        yield messages.RunPluginResponse(exitcode=self._children.wait(child))

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        self._stop()
        return empty_pb2.Empty()

    def _executor_arguments(self, request: Any) -> list[str]:
        named = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "root-directory": request.info.root_directory,
            "pwd": request.pwd,
            "parallel": str(request.parallel),
        }
        arguments = [f"--{name}={value}" for name, value in named.items() if value]
        dry_run = ["--dry-run"] if request.dryRun else []
        return [*arguments, *dry_run, "--", request.info.entry_point or ".", *request.args]

    def _install(self, options: Options, folder: Path, context: grpc.ServicerContext) -> None:
        for command in _install_commands(options, folder, context):
            child = self._children.start(command, folder, options.activated(os.environ), piped=True)
            text = b"".join(chunk for _, chunk in output_of(child)).decode(errors="replace")
            if self._children.wait(child) != 0:
                last = "\n".join(text.strip().splitlines()[-10:])
                context.abort(grpc.StatusCode.UNKNOWN, f"`{' '.join(command)}` failed:\n{last}")


def _options(info: Any, context: grpc.ServicerContext, *, plugin: bool = False) -> Options:
    try:
        return parse(info.root_directory, json_format.MessageToDict(info.options), plugin=plugin)
    except OptionError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        raise


def _python(options: Options, context: grpc.ServicerContext) -> str:
    try:
        return options.python()
    except OptionError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        raise


def _installed(options: Options, context: grpc.ServicerContext) -> list[packages.Package]:
    _python(options, context)
    return packages.installed(options)


def _install_commands(options: Options, folder: Path, context: grpc.ServicerContext) -> list[list[str]]:
    target = options.environment_folder
    commands = []
    if target is not None and not options.has_environment:
        commands.append([Options(options.root, "").python(), "-m", "venv", str(target)])
    requirements = folder / "requirements.txt"
    if requirements.is_file():
        python = str(target / "bin" / "python") if target is not None else _python(options, context)
        commands.append([python, "-m", "pip", "install", "-r", str(requirements)])
    return commands


def _plugin_arguments(request: Any) -> list[str]:
    folder = Path(request.info.program_directory)
    if request.kind == "analyzer":
        return ["-m", "pulumi.policy", *request.args, str(folder)]
    return [str(folder), *request.args]


def _dependency(plugin: packages.Plugin) -> Any:
    result = plugins.PackageDependency(name=plugin.name, kind="resource", version=plugin.version, server=plugin.server)
    if plugin.parameter_name:
        result.parameterization.name = plugin.parameter_name
        result.parameterization.version = plugin.parameter_version
        result.parameterization.value = plugin.parameter_value
    return result


def _prompt(key: str, description: str, value: str) -> Any:
    kind = messages.RuntimeOptionPrompt.STRING
    choice = messages.RuntimeOptionPrompt.RuntimeOptionValue(promptType=kind, stringValue=value, displayName=value)
    return messages.RuntimeOptionPrompt(
        key=key, description=description, promptType=kind, choices=[choice], default=choice
    )
