"""Who is asking: a bearer token against the platform's identities."""

import hmac

from mlstep.platform import Platform

MAY_START = ("pipeline", "develop")


def identify(platform: Platform, header: str | None) -> str | None:
    """The identity behind an `Authorization` header, or None; every token is compared, in constant time."""
    if header is None or not header.lower().startswith("bearer "):
        return None
    token = header[7:].strip().encode()
    found = None
    for name in platform.stage("foundation")["identities"]:
        _, secret = platform.identity(name)
        if hmac.compare_digest(token, secret.encode()):
            found = name
    return found
