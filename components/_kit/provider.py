"""What all providers of the local target share.

Rules that hold for each of them, with the reason:
- A provider class lives in an importable module: it is then pickled by reference, so a change of its code is no diff
  and a later version of the code can still delete. Renaming the module breaks delete: keep the old name as an alias.
- `serialize_as_secret_always` is off: a provider holds no secret, and as a secret it would be an encrypted blob in
  every diff.
- A provider holds no state and captures no output: those would make `__provider` unknown in a preview, and the old
  provider would then check and compare.
- Every declared key is always present: a missing key is a KeyError in the plugin, which tells a reader nothing.
"""

import abc
from collections.abc import Iterable
from typing import Any

from pulumi import dynamic
from pulumi.runtime.rpc import UNKNOWN


class LocalProvider(dynamic.ResourceProvider, abc.ABC):
    """Compares declared inputs, then lets the subclass look at the world."""

    serialize_as_secret_always = False
    declared: tuple[str, ...] = ()
    """Keys that are inputs. Only they are compared: `__provider`, a pid or a start time would differ every time."""
    replacing: tuple[str, ...] = ()
    """Keys that name the thing itself."""

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Finds changed inputs, then differences between the inputs and the world; never writes.

        Without `--refresh` the engine does not call `read`: after a reboot a plain `up` would find nothing to do.
        """
        changed = differing(_olds, _news, self.declared)
        replaces = [key for key in changed if key in self.replacing]
        changes = bool(changed) or is_unknown(_news) or not self.as_declared(_olds, _news)
        # One path or port has one owner, so the old thing goes before the new one comes.
        return dynamic.DiffResult(changes=changes, replaces=replaces, delete_before_replace=True)

    @abc.abstractmethod
    def as_declared(self, _olds: dict[str, Any], news: dict[str, Any]) -> bool:
        """Whether the world is as the inputs say; inputs are known and unchanged where this decides."""


def differing(olds: dict[str, Any], news: dict[str, Any], keys: Iterable[str]) -> list[str]:
    """Keys whose values differ. Numbers arrive as floats, so 3 and 3.0 are the same."""
    return [key for key in keys if olds.get(key) != news.get(key)]


def is_unknown(value: Any) -> bool:
    """Whether a preview does not know the value, or a part of it, yet."""
    if isinstance(value, dict):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(is_unknown(item) for item in value)
    return bool(value == UNKNOWN)


def outs(props: dict[str, Any], keys: Iterable[str], **computed: Any) -> dict[str, Any]:
    """Outputs of a resource: its inputs under the same keys, so that previews know them, and what was computed."""
    return {**{key: props.get(key) for key in keys}, **computed}
