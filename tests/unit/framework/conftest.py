"""A platform folder with real keys, for everything that signs or verifies."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mlstep.platform import Platform, load


def make_key(folder: Path, name: str) -> tuple[str, str]:
    """Write a new private key file; return (public key, key file)."""
    key = Ed25519PrivateKey.generate()
    file = folder / name
    file.write_text(base64.b64encode(key.private_bytes_raw()).decode() + "\n", encoding="utf-8")
    return base64.b64encode(key.public_key().public_bytes_raw()).decode(), str(file)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    """A platform of stage foundation with one risk signer and a promote key."""
    root = tmp_path / "platform-root"
    (root / "platform").mkdir(parents=True)
    (root / "secrets").mkdir()
    public, key_file = make_key(root / "secrets", "sign-risk")
    promote_public, promote_file = make_key(root / "secrets", "promote-key")
    foundation = {
        "contract_version": 1,
        "workspace": "demo",
        "environment": "dev",
        "target": "local",
        "identities": {},
        "signers": [
            {"name": "risk@demo.example", "role": "risk", "public_key": public, "key_file": key_file, "demo": True}
        ],
        "promote_key": {"public_key": promote_public, "key_file": promote_file},
    }
    (root / "platform" / "foundation.json").write_text(json.dumps(foundation), encoding="utf-8")
    return load(root)
