"""The foundation on one machine: folders, identities, keys and the supervisor under which everything runs."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi

from components._kit import contracts, placement, preflight, supervisord
from components._kit.arguments import Checks
from components._kit.environment import Environment
from components._kit.files import Directory, File
from components._kit.program import unusable
from components._kit.secrets import KeyPair, Secret
from components._kit.supervisor import Supervisor
from components.foundation import contract

FOLDERS = ("platform", "secrets", "logs", placement.TEMPORARY, "supervisor")
LAST_PORT_BASE = 65526
KEY_BYTES = 32
NEEDED_MODULES = ("supervisor", "mlflow", "uvicorn", "mlstep", "mlstep_serve")
"""What the run-time environment must have before the first process starts."""


@dataclass(frozen=True)
class _Settings:
    workspace: str
    environment: str
    root: str
    port_base: int
    signers: tuple[Mapping[str, Any], ...]


def _resolve(name: str, args: contract.LocalFoundationArgs) -> _Settings:
    checks = Checks("LocalFoundation", name)
    workspace = checks.slug(args, "workspace")
    environment = checks.slug(args, "environment")
    root = args.get("data_dir") or str(Path.home() / ".local" / "share" / "strata" / f"{workspace}-{environment}")
    _check_root(checks, root)
    signers = checks.entries(args, "signers", ("name", "role"))
    for index, signer in enumerate(signers):
        key = signer.get("public_key")
        if key is not None and not _is_public_key(key):
            checks.problem(
                f"signers[{index}].public_key",
                key,
                "base64 of the 32 raw bytes of an Ed25519 public key",
                "ask the signer for it again",
            )
    port_base = checks.whole(args, "port_base", placement.DEFAULT_PORT_BASE, 1024, LAST_PORT_BASE)
    checks.done()
    return _Settings(workspace, environment, root, port_base, tuple(signers))


def _check_root(checks: Checks, root: str) -> None:
    remedy = "choose another folder in the record"
    checks.that(
        Path(root).is_absolute() and ".." not in Path(root).parts,
        "data_dir",
        root,
        "an absolute path without ..",
        remedy,
    )
    wrong = "".join(unusable(root))
    checks.that(not wrong, "data_dir", root, f"a path without the characters {wrong!r}", remedy)
    length = len(supervisord.socket_path(root).encode())
    checks.that(
        length < preflight.SOCKET_PATH_BYTES,
        "data_dir",
        root,
        f"short enough for a control socket of fewer than {preflight.SOCKET_PATH_BYTES} bytes (it has {length})",
        remedy,
    )


def _is_public_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


class LocalFoundation(contract.Foundation):
    """Folders below one root with mode 0700, tokens and keys in files with mode 0600, one supervisor."""

    def __init__(
        self, name: str, args: contract.LocalFoundationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Builds the foundation of a workspace in an environment.

        Raises:
            pulumi.InputPropertiesError: if arguments are wrong; the message has every problem.
        """
        settings = _resolve(name, args)
        super().__init__("strata:index:LocalFoundation", name, cast(dict[str, Any], {**args}), opts)
        self._name = name
        child = pulumi.ResourceOptions(parent=self)
        run_time = Environment(f"{name}-run-time", name="run-time", opts=child)
        root = Directory(f"{name}-folder-root", path=settings.root, opts=child)
        folders = {
            folder: Directory(
                f"{name}-folder-{folder}",
                path=pulumi.Output.concat(root.path, "/", folder),
                purge=folder == placement.TEMPORARY,
                opts=child,
            )
            for folder in FOLDERS
        }
        secrets = folders["secrets"].path
        tokens = {
            identity: Secret(
                f"{name}-token-{identity}", path=pulumi.Output.concat(secrets, f"/{identity}.token"), opts=child
            )
            for identity in contract.IDENTITIES
        }
        promote_key = KeyPair(f"{name}-promote-key", path=pulumi.Output.concat(secrets, "/promote.key"), opts=child)
        signers = [self._signer(signer, secrets) for signer in settings.signers]
        supervisor = Supervisor(
            f"{name}-supervisor",
            root=root.path,
            python=run_time.python,
            ports=[settings.port_base + offset for offset in sorted(placement.PORTS.values())],
            modules=NEEDED_MODULES,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(folders.values())),
        )
        self.identities = pulumi.Output.all(**{identity: token.path for identity, token in tokens.items()}).apply(
            lambda paths: {identity: {"user": identity, "token_file": path} for identity, path in paths.items()}
        )
        self.signers = pulumi.Output.from_input(signers)
        self.log_sink = folders["logs"].path
        platform = self._platform_file(settings, folders["platform"], promote_key)
        self.host = pulumi.Output.from_input(
            {
                "root": supervisor.root,
                "python": supervisor.python,
                "port_base": settings.port_base,
                "digest": platform.content.apply(placement.digest),
            }
        )
        self.region = pulumi.Output.from_input("local")
        self.network_mode = pulumi.Output.from_input("loopback")
        self.key_reference = pulumi.Output.from_input(cast(str | None, None))
        self.secret_store = secrets
        self.platform_file = platform.path
        self.unavailable = pulumi.Output.from_input({"key_reference": placement.UNAVAILABLE})
        self.register_outputs(contracts.outputs(self, contract.Foundation))

    def _signer(self, signer: Mapping[str, Any], secrets: pulumi.Output[str]) -> dict[str, Any]:
        """A signer with a given key, or with a demo key pair: such a signature proves the procedure, not a person."""
        known = {"name": signer["name"], "role": signer["role"]}
        if signer.get("public_key"):
            return {**known, "public_key": signer["public_key"], "key_file": None, "demo": False}
        slug = "".join(letter if letter.isalnum() else "-" for letter in signer["name"].lower())
        pair = KeyPair(
            f"{self._name}-signer-{slug}",
            path=pulumi.Output.concat(secrets, f"/signer-{slug}.key"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return {**known, "public_key": pair.public_key, "key_file": pair.path, "demo": True}

    def _platform_file(self, settings: _Settings, folder: Directory, promote_key: KeyPair) -> File:
        content = {
            "contract_version": placement.CONTRACT_VERSION,
            "workspace": settings.workspace,
            "environment": settings.environment,
            "target": "local",
            "root": settings.root,
            "identities": self.identities,
            "signers": self.signers,
            "promote_key": {"public_key": promote_key.public_key, "key_file": promote_key.path},
            "log_dir": self.log_sink,
            "ports": {"base": settings.port_base},
        }
        told = pulumi.Output.json_dumps(content, indent=1, sort_keys=True).apply(lambda text: text + "\n")
        return File(
            f"{self._name}-platform",
            path=pulumi.Output.concat(folder.path, "/foundation.json"),
            content=told,
            opts=pulumi.ResourceOptions(parent=self),
        )
