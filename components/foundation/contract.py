"""What the foundation promises, whatever the target, and what it must be told."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

IDENTITIES = ("develop", "pipeline", "promote", "serve", "audit")
"""The five identities every target hands out. A target's internal ones are never handed out."""


class SignerArgs(TypedDict):
    """Somebody who may sign."""

    name: str
    """Who signs: a person's address, for example the use case's risk approver."""
    role: str
    """In which role: `owner`, `deputy`, `risk_approver`, …"""
    public_key: NotRequired[str | None]
    """Base64 of the 32 raw bytes of an Ed25519 public key. Absent: a demo key pair is made (target `local` only)."""


class FoundationArgs(TypedDict):
    """What every target's foundation is told."""

    workspace: str
    """Name of the workspace: lower case letters, digits and dashes."""
    environment: str
    """`dev`, `test` or `prod`."""
    signers: NotRequired[Sequence[SignerArgs]]
    """Who may sign statements. Default: nobody, so nothing can be promoted."""
    tags: NotRequired[Mapping[str, str]]
    """Tags put on everything that can carry tags."""


class LocalFoundationArgs(FoundationArgs):
    """What the foundation on one machine is told besides."""

    data_dir: NotRequired[str | None]
    """Folder of the platform. Default `~/.local/share/strata/<workspace>-<environment>`. Forces replacement."""
    port_base: NotRequired[int | None]
    """First of ten TCP ports on 127.0.0.1. Range 1024 to 65526, default 25100."""


class Foundation(pulumi.ComponentResource):
    """Folders or networks, identities and keys of one workspace in one environment."""

    host: pulumi.Output[Mapping[str, Any]]
    """What later stages of the same target need to place something; passed on as it is, never read in between."""
    region: pulumi.Output[str]
    """Where data stays: a cloud region, a cluster name, or `local`."""
    network_mode: pulumi.Output[str]
    """How the platform is reached, for example `private` or `loopback`."""
    identities: pulumi.Output[Mapping[str, Mapping[str, str]]]
    """For each of the five identities `user` and a reference to its credential; never the credential."""
    key_reference: pulumi.Output[str | None]
    """Reference to the customer managed key, or None with a reason in `unavailable`."""
    secret_store: pulumi.Output[str]
    """Reference to the place where secrets are kept."""
    log_sink: pulumi.Output[str]
    """Where logs go."""
    signers: pulumi.Output[Sequence[Mapping[str, Any]]]
    """Who may sign, with public keys; `demo` is true for keys made by the platform itself."""
    platform_file: pulumi.Output[str]
    """What the run-time plane reads about this stage."""
    unavailable: pulumi.Output[Mapping[str, str]]
    """Outputs that are None on this target, each with its reason."""
