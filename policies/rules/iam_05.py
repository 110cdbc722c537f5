"""IAM-05: who trains cannot promote; the five identities are separate."""

from collections.abc import Iterator, Mapping

from policies.model import Problem, Resource, Stack

IDENTITIES = ("develop", "pipeline", "promote", "serve", "audit")
CANDIDATE = "-candidate"
"""How the registered model that holds candidates of model `m` is called: `m-candidate`."""


def founded(stack: Stack) -> Iterator[Problem]:
    """There is a foundation that hands out identities."""
    if not stack.of("foundation"):
        yield Problem("no foundation component", "a foundation that hands out the five identities")


def complete(stack: Stack) -> Iterator[Problem]:
    """All five identities are there, each with user and credential."""
    for foundation in stack.of("foundation"):
        for name, user, credential in _identities(stack, foundation):
            if not user or not credential:
                yield Problem(
                    f"identity {name} lacks a user or a credential", f"user and credential for {name}", foundation.urn
                )


def distinct(stack: Stack) -> Iterator[Problem]:
    """No two identities share a user or a credential."""
    for foundation in stack.of("foundation"):
        identities = _identities(stack, foundation)
        yield from _shared({name: user for name, user, _ in identities}, "user", foundation.urn)
        yield from _shared({name: credential for name, _, credential in identities}, "credential", foundation.urn)


def models_have_two_owners(stack: Stack) -> Iterator[Problem]:
    """No user owns both the candidates of a model and its champion."""
    for access in stack.of("local:MlflowAccess"):
        owners = access.inputs.get("models") or {}
        for model, owner in owners.items():
            if owner and owners.get(model + CANDIDATE) == owner:
                yield Problem(f"user {owner!r} owns {model} and {model}{CANDIDATE}", "two owners", access.urn)


def tokens_are_not_shared(stack: Stack) -> Iterator[Problem]:
    """No two users of the tracking server are let in by the same file."""
    for access in stack.of("local:MlflowAccess"):
        files = access.inputs.get("token_files") or {}
        yield from _shared({user: str(file) for user, file in files.items()}, "token file", access.urn)


def _shared(values: Mapping[str, str], label: str, urn: str) -> Iterator[Problem]:
    holders: dict[str, list[str]] = {}
    for name, value in values.items():
        holders.setdefault(value, []).append(name)
    for value, names in holders.items():
        if value and len(names) > 1:
            yield Problem(f"{' and '.join(names)} share the {label} {value!r}", f"a {label} each", urn)


def _identities(stack: Stack, foundation: Resource) -> list[tuple[str, str, str]]:
    """Return name, user and credential reference of the five identities; empty texts for what is not there."""
    given = stack.require_output(foundation, "identities")
    found = given if isinstance(given, dict) else {}
    return [(name, *_parts(found.get(name))) for name in IDENTITIES]


def _parts(entry: object) -> tuple[str, str]:
    """Return user and credential reference; whatever a target calls the credential, it is what is not the user."""
    if not isinstance(entry, dict):
        return "", ""
    return str(entry.get("user") or ""), " ".join(
        str(value) for key, value in sorted(entry.items()) if key != "user" and value
    )


PREDICATES = (founded, complete, distinct, tokens_are_not_shared, models_have_two_owners)
