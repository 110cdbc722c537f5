"""Which Python packages, and which of them with a Pulumi plugin, an environment holds."""

import base64
import json
import subprocess
from dataclasses import dataclass
from typing import Any

from tools.language_host.options import Options

# Runs in the program's own interpreter: only that one knows where its packages are.
_LIST = """
import importlib.metadata, json
found = {}
required = set()
for item in importlib.metadata.distributions():
    name = item.metadata["Name"]
    if not name or name in found:
        continue
    plugin = item.locate_file(name.replace("-", "_") + "/pulumi-plugin.json")
    text = plugin.read_text(encoding="utf-8") if plugin.is_file() else None
    found[name] = {"name": name, "version": item.version, "plugin": text}
    for requirement in item.requires or []:
        if "extra ==" not in requirement:
            head = requirement.split(";")[0]
            for mark in "<>=!~[( ":
                head = head.split(mark)[0]
            required.add(head.strip().lower().replace("_", "-").replace(".", "-"))
for item in found.values():
    item["required"] = item["name"].lower().replace("_", "-").replace(".", "-") in required
print(json.dumps(sorted(found.values(), key=lambda item: item["name"].lower())))
"""


@dataclass(frozen=True)
class Package:
    """One installed distribution; `plugin` is its parsed pulumi-plugin.json, `required` says that another needs it."""

    name: str
    version: str
    required: bool
    plugin: dict[str, Any] | None


def installed(options: Options) -> list[Package]:
    """List the packages of the environment, sorted by name.

    Raises:
        OptionError: there is no such environment.
        RuntimeError: its Python could not list them.
    """
    command = [options.python(), "-P", "-c", _LIST]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"could not list the packages of {command[0]}: {done.stderr.strip()[-2000:]}")
    return [
        Package(item["name"], item["version"], item["required"], json.loads(item["plugin"]) if item["plugin"] else None)
        for item in json.loads(done.stdout)
    ]


@dataclass(frozen=True)
class Plugin:
    """A resource plugin that a package asks for; the last three describe a parameterized package."""

    name: str
    version: str
    server: str
    parameter_name: str = ""
    parameter_version: str = ""
    parameter_value: bytes = b""


def required_plugins(packages: list[Package]) -> list[Plugin]:
    """The resource plugins of all packages that carry a pulumi-plugin.json, used by the program or not."""
    return [_plugin(package, package.plugin) for package in packages if package.plugin and package.plugin["resource"]]


def _plugin(package: Package, declared: dict[str, Any]) -> Plugin:
    version = str(declared.get("version") or package.version)
    parameter = declared.get("parameterization") or {}
    return Plugin(
        name=str(declared.get("name") or package.name.removeprefix("pulumi-").removeprefix("pulumi_")),
        version=version if version.startswith("v") else f"v{version}",
        server=str(declared.get("server") or ""),
        parameter_name=str(parameter.get("name", "")),
        parameter_version=str(parameter.get("version", "")),
        parameter_value=base64.b64decode(parameter.get("value", "")),
    )
