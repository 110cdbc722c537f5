"""Values as the engine sends them: some unknown until the update, some secret.

Rules never touch raw dictionaries. They ask `Properties` for a path and get a plain value, or `UnknownValueError` is
raised, so a value that is not known yet can neither pass nor fail by accident.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from policies.normalise import find_key

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  (marks a secret, is none)
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
# What the engine and exported states put where a value is not known; see sdk/go/common/resource/plugin/rpc.go.
_UNKNOWN = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
# The engine writes this text where it may not decrypt a secret (`pulumi policy analyze` without its passphrase).
_BLINDED = "[secret]"


class UnknownValueError(Exception):
    """A rule asked for a value that is not known yet, or that may not be read."""

    def __init__(self, path: str, why: str = "is not known before the update") -> None:
        super().__init__(f"{path or 'the value'} {why}")
        self.path = path


class _Unknown:
    """Stands for a value that is not known yet."""


@dataclass(frozen=True)
class _Unreadable:
    """Stands for the content of a secret that is encrypted in an exported state."""


@dataclass(frozen=True)
class _Secret:
    """A value that is a Pulumi secret; its content never shows in a representation."""

    content: Any = field(repr=False)


def decode(value: Any) -> Any:
    """Return the engine's encoding as plain values with marks for what is unknown or secret.

    Other special objects (assets, archives, references) stay mappings: a rule that meets one sees its parts.
    """
    if isinstance(value, str):
        return _Unknown() if value in _UNKNOWN else value
    if isinstance(value, list | tuple):
        return [decode(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    signature = value.get(_SIGNATURE)
    if signature == _SECRET:
        return _Secret(_secret_content(value))
    if signature == _OUTPUT:
        content = decode(value["value"]) if "value" in value else _Unknown()
        return _Secret(content) if value.get("secret") else content
    # Sorted, because mappings travel without an order and the same stack must give the same bytes.
    return {str(key): decode(item) for key, item in sorted(value.items()) if key != _SIGNATURE}


def _secret_content(value: Mapping[str, Any]) -> Any:
    if "plaintext" in value:
        return _plaintext(value["plaintext"])
    content = value.get("value")
    return _Unreadable() if content in (None, _BLINDED) else decode(content)


def _plaintext(text: Any) -> Any:
    """Return the content of a secret from a state exported with `--show-secrets`, which holds it as JSON text."""
    try:
        content = json.loads(text)
    except (TypeError, ValueError):
        content = text
    return _Unreadable() if content == _BLINDED else decode(content)


def _plain(value: Any, path: str) -> Any:
    """Return the value without marks, all the way down."""
    if isinstance(value, _Secret):
        return _plain(value.content, path)
    if isinstance(value, _Unknown):
        raise UnknownValueError(path)
    if isinstance(value, _Unreadable):
        raise UnknownValueError(path, "is encrypted and may not be read here")
    if isinstance(value, list):
        return [_plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: _plain(item, f"{path}.{key}" if path else key) for key, item in value.items()}
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, _Secret):
        yield from _texts(value.content)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, _Secret):
        yield from (text for text in _texts(value.content) if text)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item)


@dataclass(frozen=True)
class Leaf:
    """One value somewhere in a property, for rules that must look everywhere."""

    path: str
    name: str
    """Name of the nearest key, without list positions."""
    secret: bool
    _value: Any = field(repr=False)

    @property
    def readable(self) -> bool:
        """Whether the value is known and may be read."""
        return not isinstance(self._value, _Unknown | _Unreadable)

    def read(self) -> Any:
        """Return the plain value.

        Raises:
            UnknownValueError: if it is not known yet, or encrypted.
        """
        return _plain(self._value, self.path)


@dataclass(frozen=True)
class Properties:
    """Properties of one resource, asked for by dotted path with snake_case names whatever the provider's spelling."""

    _values: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, encoded: Mapping[str, Any]) -> "Properties":
        """Return the properties in the engine's encoding as `Properties`."""
        return cls(decode(dict(encoded)))

    def get(self, path: str) -> Any:
        """Return the plain value at `path`, or None where there is none.

        Raises:
            UnknownValueError: if the value, something on the way to it or something in it is not known yet.
        """
        value, seen = self._find(path)
        return _plain(value, seen)

    def text(self, path: str) -> str:
        """Return the text at `path` without blanks around it; empty where there is none or it is not text."""
        value = self.get(path)
        return value.strip() if isinstance(value, str) else ""

    def has(self, path: str) -> bool:
        """Return whether something is at `path`, also when it is not known yet."""
        try:
            value, _ = self._find(path)
        except UnknownValueError:
            return True
        return value is not None

    def size(self, path: str) -> int:
        """Return how many entries the list or mapping at `path` has, even if some are not known yet; else 0."""
        value, seen = self._find(path)
        if isinstance(value, _Unknown):
            raise UnknownValueError(seen)
        return len(value) if isinstance(value, list | dict) else 0

    def keys(self, path: str = "") -> tuple[str, ...]:
        """Return the names in the mapping at `path`, even if some of their values are not known yet."""
        value, seen = self._find(path)
        if isinstance(value, _Unknown):
            raise UnknownValueError(seen)
        return tuple(value) if isinstance(value, dict) else ()

    def leaves(self) -> Iterator[Leaf]:
        """Yield every single value, with the path that leads to it and whether it is secret."""
        yield from _leaves(self._values, "", "", secret=False)

    def secrets(self) -> frozenset[str]:
        """Return the content of all secrets as text: what no message may hold."""
        return frozenset(_secrets(dict(self._values)))

    def _find(self, path: str) -> tuple[Any, str]:
        value: Any = dict(self._values)
        seen = ""
        for part in path.split(".") if path else ():
            value = value.content if isinstance(value, _Secret) else value
            if isinstance(value, _Unknown | _Unreadable):
                _plain(value, seen)
            if isinstance(value, list):
                value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
            elif isinstance(value, dict):
                key = find_key(value, part)
                value = None if key is None else value[key]
            else:
                return None, path
            seen = f"{seen}.{part}" if seen else part
        return (value.content if isinstance(value, _Secret) else value), seen


def _leaves(value: Any, path: str, name: str, *, secret: bool) -> Iterator[Leaf]:
    if isinstance(value, _Secret):
        yield from _leaves(value.content, path, name, secret=True)
    elif isinstance(value, dict | Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key, key, secret=secret)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]", name, secret=secret)
    else:
        yield Leaf(path, name, secret, value)
