"""Generated secrets as resources: encrypted in the state, and in a file with mode 0600 for those who need them.

The file outlives the resource, as the data does: MLflow's users and the signed history of champions depend on the same
values, so a destroy followed by an up takes up what is there. Only `purge` of the whole folder removes them.
"""

import abc
import base64
import secrets
from pathlib import Path
from typing import Any

import pulumi
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pulumi import dynamic

from components._kit import disk, provider

MODE = 0o600
SHORTEST_BYTES = 16


class _KeptFile(provider.LocalProvider):
    """A value made once, kept in the state and in a file."""

    replacing = ("path",)
    held: str
    """Output that the file holds."""

    @abc.abstractmethod
    def make(self, props: dict[str, Any]) -> dict[str, str]:
        """Makes the value, or takes up the one in the file, and returns every computed output."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Makes the value once and writes the file."""
        made = self.make(props)
        disk.write(Path(props["path"]), made[self.held].encode(), MODE)
        return dynamic.CreateResult(props["path"], provider.outs(props, self.declared, **made))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Writes the file again; the value is the one in the state."""
        disk.write(Path(_news["path"]), _olds[self.held].encode(), MODE)
        kept = {key: value for key, value in _olds.items() if key not in ("__provider", *self.declared)}
        return dynamic.UpdateResult(provider.outs(_news, self.declared, **kept))

    def as_declared(self, _olds: dict[str, Any], news: dict[str, Any]) -> bool:
        """Whether the file holds the value of the state, for its owner's eyes only."""
        return disk.holds(Path(news["path"]), _olds[self.held].encode(), MODE)


def _found(path: Path) -> str | None:
    """What an earlier life left in the file."""
    if not path.is_file():
        return None
    return path.read_text(encoding="ascii", errors="replace").strip() or None


class SecretProvider(_KeptFile):
    """Keeps a random token."""

    declared = ("path", "strength")
    held = "value"

    def make(self, props: dict[str, Any]) -> dict[str, str]:
        """A token of the wanted strength, safe in URLs and headers."""
        return {"value": _found(Path(props["path"])) or secrets.token_urlsafe(int(props["strength"]))}


class Secret(dynamic.Resource, module="local", name="Secret"):
    """A random token."""

    path: pulumi.Output[str]
    """File that holds it, mode 0600."""
    value: pulumi.Output[str]
    """The token. Secret."""

    def __init__(
        self,
        name: str,
        *,
        path: pulumi.Input[str],
        strength: int = 32,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the token.

        Args:
            name: Pulumi name.
            path: File that holds it; forces replacement.
            strength: Random bytes it is made of, 16 or more.
            opts: Resource options.

        Raises:
            ValueError: if it would be too weak.
        """
        if strength < SHORTEST_BYTES:
            raise ValueError(f"secret {name!r} needs {SHORTEST_BYTES} random bytes or more (got {strength})")
        hidden = pulumi.ResourceOptions(additional_secret_outputs=["value"])
        props = {"path": path, "strength": strength, "value": None}
        super().__init__(SecretProvider(), name, props, pulumi.ResourceOptions.merge(opts, hidden))


class KeyPairProvider(_KeptFile):
    """Keeps an Ed25519 key pair."""

    declared = ("path",)
    held = "private_key"

    def make(self, props: dict[str, Any]) -> dict[str, str]:
        """A key pair; both keys as base64 of their 32 raw bytes.

        Raises:
            RuntimeError: if the file is there and holds something else.
        """
        path = Path(props["path"])
        found = _found(path)
        try:
            key = (
                Ed25519PrivateKey.from_private_bytes(base64.b64decode(found)) if found else Ed25519PrivateKey.generate()
            )
        except ValueError as error:
            raise RuntimeError(f"{path} should hold the base64 of 32 raw bytes of an Ed25519 key ({error})") from None
        return {
            "private_key": base64.b64encode(key.private_bytes_raw()).decode(),
            "public_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        }


class KeyPair(dynamic.Resource, module="local", name="KeyPair"):
    """An Ed25519 key pair for signatures."""

    path: pulumi.Output[str]
    """File that holds the private key, mode 0600."""
    public_key: pulumi.Output[str]
    """Base64 of the 32 raw bytes; not a secret."""

    def __init__(self, name: str, *, path: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        """Declares the key pair.

        Args:
            name: Pulumi name.
            path: File that holds the private key; forces replacement.
            opts: Resource options.
        """
        hidden = pulumi.ResourceOptions(additional_secret_outputs=["private_key"])
        props = {"path": path, "private_key": None, "public_key": None}
        super().__init__(KeyPairProvider(), name, props, pulumi.ResourceOptions.merge(opts, hidden))
