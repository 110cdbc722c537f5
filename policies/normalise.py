"""One place that knows how targets spell type tokens and property names.

A rule says `governance` and `use_case.owner`; whether the resource is `strata:index:LocalGovernance` with snake_case
keys or an `azure-native` type with a version in its token and camelCase keys is settled here.
"""

import re
from collections.abc import Iterable

STAGES = {"registry": 1, "pipelines": 2, "monitoring": 3, "feature_store": 4}
"""Stage number of each stage component."""

TARGETS = ("local", "azure", "gcp", "kubernetes")
ENVIRONMENTS = ("dev", "test", "prod")

_COMPONENTS = {
    "Foundation": "foundation",
    "Governance": "governance",
    "ModelRegistry": "registry",
    "Pipelines": "pipelines",
    "PipelinePlatform": "pipelines",
    "Monitoring": "monitoring",
    "FeatureStore": "feature_store",
}
_COMPONENT = re.compile(r"^strata:[^:]*:(Local|Azure|Gcp|Kubernetes)(" + "|".join(_COMPONENTS) + r")$")
_DYNAMIC = re.compile(r"^pulumi-(?:python|nodejs):dynamic/(.+)$")
# `azure-native:storage/v20240101:Account` and the locally generated `azure-native_storage_v20240101:storage:Account`.
_AZURE = re.compile(r"^azure-native(?:_[a-z0-9]+_v[0-9a-z]+)?:([a-z0-9]+)(?:/v[0-9a-z]+)?:(\w+)$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_URN = re.compile(r"^urn:pulumi:(?P<stack>[^:]+)::(?P<project>[^:]+)::(?P<types>.+?)::(?P<name>.+)$")


def kind(token: str) -> str:
    """Return the name under which rules and catalogue know a resource type."""
    component = _COMPONENT.match(token)
    if component:
        return _COMPONENTS[component.group(2)]
    dynamic = _DYNAMIC.match(token)
    if dynamic:
        return dynamic.group(1)
    azure = _AZURE.match(token)
    if azure:
        return f"azure-native:{azure.group(1)}:{azure.group(2)}"
    return token


def target(token: str) -> str | None:
    """Return the target that a stage component belongs to, or None for any other type."""
    component = _COMPONENT.match(token)
    return component.group(1).lower() if component else None


def snake(name: str) -> str:
    """Return a property name in snake_case: `riskClass` becomes `risk_class`."""
    return _CAMEL.sub("_", name).replace("-", "_").lower()


def find_key(names: Iterable[str], wanted: str) -> str | None:
    """Return the name that is meant by `wanted`: the exact one, else the only one equal in snake_case.

    Two names that differ only in spelling are ambiguous: neither is returned.
    """
    known = tuple(names)
    if wanted in known:
        return wanted
    meant = [name for name in known if snake(name) == snake(wanted)]
    return meant[0] if len(meant) == 1 else None


def stack_of(urn: str) -> str:
    """Return the stack's name in a URN, empty where the text is not a URN."""
    match = _URN.match(urn)
    return match.group("stack") if match else ""


def name_of(urn: str) -> str:
    """Return the resource's name in a URN, or the text itself where it is not a URN."""
    match = _URN.match(urn)
    return match.group("name") if match else urn


def environment_of(stack: str) -> str | None:
    """Return the environment in a stack's name `<workspace>-<environment>`, or None where there is none."""
    last = stack.rsplit("-", 1)[-1]
    return last if last in ENVIRONMENTS else None
