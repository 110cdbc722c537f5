"""Reads an exported state (`pulumi stack export`) as resources, without engine, program or provider."""

from collections.abc import Mapping
from typing import Any

from policies import normalise
from policies.model import Resource, Stack
from policies.source import InvalidSourceError
from policies.values import Properties


def stack_of(state: Any) -> Stack:
    """Return the stack in an exported state.

    Raises:
        InvalidSourceError: if it is not an exported state, or holds no resource.
    """
    deployment = state.get("deployment") if isinstance(state, Mapping) else None
    entries = deployment.get("resources") if isinstance(deployment, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise InvalidSourceError(
            ["the state: holds no deployment with resources; write one with `pulumi stack export --file STATE.json`"]
        )
    # A resource marked `delete` is on its way out: its replacement is what counts.
    resources = tuple(_resource(entry) for entry in entries if not entry.get("delete"))
    return Stack(normalise.stack_of(resources[0].urn if resources else ""), resources)


def _resource(entry: Mapping[str, Any]) -> Resource:
    return Resource(
        urn=str(entry["urn"]),
        token=str(entry["type"]),
        inputs=Properties.of(entry.get("inputs") or {}),
        outputs=Properties.of(entry.get("outputs") or {}),
        protect=bool(entry.get("protect")),
    )
