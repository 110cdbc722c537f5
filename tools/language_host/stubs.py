"""The SDK's gRPC stubs without the SDK.

Importing `pulumi` costs 0.7 s that every engine operation would pay, and the host needs only the generated messages. So
the parent packages are put in place empty, with the path where their real submodules are found.
"""

import importlib.util
import sys
import types
from pathlib import Path


def _place_empty_parents() -> None:
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the language host's own environment has no 'pulumi' package; run: make up")
    folder = Path(next(iter(spec.submodule_search_locations)))
    for name, path in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package


if "pulumi" not in sys.modules:
    _place_empty_parents()

from pulumi.runtime.proto import language_pb2 as messages  # noqa: E402 - the empty parents must be there first
from pulumi.runtime.proto import language_pb2_grpc as services  # noqa: E402
from pulumi.runtime.proto import plugin_pb2 as plugins  # noqa: E402

__all__ = ["messages", "plugins", "services"]
