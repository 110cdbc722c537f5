"""ENC-04: no default password, and no credential in plain text."""

import re
from collections.abc import Iterator

from policies import normalise
from policies.model import Problem, Resource
from policies.predicates import each
from policies.values import Leaf

# fmt: off
KNOWN_DEFAULTS = frozenset({
    "admin", "administrator", "changeit", "changeme", "default", "guest", "letmein", "minioadmin", "mlflow",
    "pass", "passw0rd", "password", "password1", "password123", "password1234", "postgres", "qwerty", "root",
    "secret", "test", "welcome", "123456", "12345678",
})
# fmt: on
"""Passwords that come with products (MLflow: password1234; MinIO; PostgreSQL images) or that everybody tries first."""

_CREDENTIAL = re.compile(
    r"(^|_)(password|passwd|passphrase|secret|token|api_key|access_key|account_key|private_key|client_secret|connection_string)$"
)
# `name = value`, `name: value`, `--name=value`, also quoted, as configuration files, JSON and command lines have them.
_ASSIGNMENT = re.compile(
    r"""(?m)(?:^|[\s{,;"'])-{0,2}["']?([A-Za-z][\w.-]*)["']?[ \t]*[=:][ \t]*["']?([^\s"',;{}\[\]]+)"""
)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:([^\s/@]+)@")
_REFERENCE = re.compile(r"^(\$|%\(|file:|/[\w.-]+/|null$|none$)", re.IGNORECASE)
# Properties whose text may hold a credential somewhere: what a file or a program is given.
_TEXT = re.compile(r"(^|\.)(content|command|args|arguments|env|environment|user_data|script|values)(\.|\[|$)")
NEEDED = "a value that is a Pulumi secret and not a well-known default"


def secrets_are_secret(resource: Resource) -> Iterator[Problem]:
    """A property with the name of a credential is a Pulumi secret."""
    yield from each((leaf for leaf in _credentials(resource) if not leaf.secret), _in_plain_text)


def no_default(resource: Resource) -> Iterator[Problem]:
    """A credential is not empty and not one of the values that everybody knows."""
    yield from each(_credentials(resource), _default)


def no_credential_in_text(resource: Resource) -> Iterator[Problem]:
    """No text (a file's content, an argument, a URL) holds a credential in the open, or a known default in a secret.

    A value that is known only after the update is waited for where it is such a text; others, such as addresses of
    other resources, are read once they are known.
    """
    texts = (leaf for leaf in _leaves(resource) if not _is_credential(leaf.name))
    yield from each((leaf for leaf in texts if leaf.readable or _TEXT.search(leaf.path)), _assigned)


def _in_plain_text(leaf: Leaf) -> Iterator[Problem]:
    if isinstance(leaf.read(), str):
        yield Problem(f"{leaf.path} is in plain text", NEEDED)


def _default(leaf: Leaf) -> Iterator[Problem]:
    value = leaf.read()
    if isinstance(value, str) and _known(value):
        yield Problem(f"{leaf.path} is empty or a well-known default", NEEDED)


def _assigned(leaf: Leaf) -> Iterator[Problem]:
    value = leaf.read()
    for name, content in _assignments(value) if isinstance(value, str) else ():
        if _known(content):
            yield Problem(f"{leaf.path} sets {name} to a well-known default", NEEDED)
        elif not leaf.secret and not _REFERENCE.match(content):
            yield Problem(f"{leaf.path} sets {name} in plain text", NEEDED)


def no_credential_argument(resource: Resource) -> Iterator[Problem]:
    """No argument of a command is a credential: every user of a machine sees the arguments of every process."""
    previous = ""
    for leaf in _leaves(resource):
        if leaf.name not in ("command", "args", "arguments"):
            previous = ""
            continue
        if previous:
            yield Problem(f"{leaf.path} follows {previous} on a command line", "a file, or a secret in the environment")
        value = leaf.read() if leaf.readable else ""
        named = (
            isinstance(value, str) and value.startswith("-") and "=" not in value and _is_credential(value.lstrip("-"))
        )
        previous = value if named else ""


def _leaves(resource: Resource) -> Iterator[Leaf]:
    """Yield every input, but for the provider's own code, which holds no configuration."""
    return (leaf for leaf in resource.inputs.leaves() if not leaf.path.startswith("__"))


def _credentials(resource: Resource) -> Iterator[Leaf]:
    return (leaf for leaf in _leaves(resource) if _is_credential(leaf.name))


def _is_credential(name: str) -> bool:
    return bool(_CREDENTIAL.search(normalise.snake(name).replace(".", "_")))


def _known(value: str) -> bool:
    return value.strip().casefold() in KNOWN_DEFAULTS or not value.strip()


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for match in _ASSIGNMENT.finditer(text):
        if _is_credential(match.group(1)):
            yield match.group(1), match.group(2)
    for match in _URL.finditer(text):
        yield "the password of a URL", match.group(1)


PREDICATES = (secrets_are_secret, no_default, no_credential_in_text, no_credential_argument)
