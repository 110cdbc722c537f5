"""Turn pydantic's errors about the shape of a record into problems a person can act on."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from stacks.problems import KeyPath, Problem, did_you_mean, dotted, shown
from stacks.record_model import ALERT_ROUTE, PERSON, SIGNER_KEY, SLUG, RecordFile
from stacks.yaml_source import Source

_TYPES = {
    "int_type": "write a whole number without quotes",
    "int_from_float": "write a whole number",
    "string_type": "write text, in quotes when it looks like a number or a date",
    "model_type": "write keys and values below this key",
    "dict_type": "write keys and values below this key",
    "tuple_type": "write a list: one `- ` per entry",
    "bool_type": "write true or false",
}
_PATTERNS = {
    SLUG: "lower-case letters, digits and single hyphens, starting with a letter, for example credit-scoring",
    PERSON: "write one e-mail address, for example o.lind@bank.example",
    ALERT_ROUTE: "write owner, deputy, or one e-mail address",
    SIGNER_KEY: "write ed25519:<base64 of 32 bytes>, or demo (target local only)",
}
_MISSING = {
    "owner": "name the person who answers for it, for example o.lind@bank.example",
    "contract": "point to the data contract, for example pipelines/credit/applications.odcs.yaml",
    "environments": "name at least one environment: dev, test or prod",
}


def shape_problems(source: Source) -> list[Problem]:
    """Return every unknown key, missing key, wrong type and value out of range in the record."""
    try:
        RecordFile.model_validate(source.data)
    except ValidationError as error:
        found: dict[tuple[Any, ...], Problem] = {}
        for entry in error.errors(include_url=False):
            # pydantic counts only entries without errors, so a list of one bad entry is "too short" as well.
            if entry["type"] == "too_short" and entry["input"]:
                continue
            problem = _problem(source, dict(entry))
            # One value tried against several alternatives gives one error each; the first says enough.
            found.setdefault((problem.line, problem.key), problem)
        return _without_echoes(list(found.values()))
    return []


def _without_echoes(problems: list[Problem]) -> list[Problem]:
    """Drop `missing` for a key of which a misspelt form is there: one mistake, one problem."""
    meant = {
        f"{problem.key.rpartition('.')[0]}.{problem.remedy.removeprefix('did you mean ').rstrip('?')}".lstrip(".")
        for problem in problems
        if problem.found == "unknown key"
    }
    return [problem for problem in problems if not (problem.found == "missing" and problem.key in meant)]


def _problem(source: Source, entry: dict[str, Any]) -> Problem:
    path = _real_path(source, entry["loc"])
    line, column = source.position(path)
    found, remedy = _texts(path, entry)
    return Problem(line, column, dotted(path), found, remedy)


def _real_path(source: Source, location: tuple[str | int, ...]) -> KeyPath:
    """Drop the parts pydantic adds for alternatives and for keys of a mapping."""
    path: KeyPath = ()
    for part in location:
        if isinstance(part, str) and (part == "[key]" or part.startswith(("literal[", "constrained-"))):
            continue
        path = (*path, part)
    return path


def _texts(path: KeyPath, entry: dict[str, Any]) -> tuple[str, str]:
    kind, value, limits = entry["type"], entry.get("input"), entry.get("ctx", {})
    if path and path[0] == "environments" and len(path) == 2 and kind == "literal_error":
        return f"unknown environment {path[1]}", _suggest(str(path[1]), ["dev", "test", "prod"])
    if kind == "extra_forbidden":
        return "unknown key", _suggest(str(path[-1]), _known_keys(path))
    if kind == "missing":
        return "missing", _MISSING.get(str(path[-1])) or _described(path)
    if kind == "literal_error":
        return shown(value), f"write {limits['expected']}"
    if kind == "string_pattern_mismatch":
        return shown(value), _PATTERNS[limits["pattern"]]
    if kind in _TYPES:
        return _typed(value), _TYPES[kind]
    return _typed(value), _range(kind, limits) or entry["msg"]


def _typed(value: object) -> str:
    names = {str: "text", int: "number", float: "number", list: "list", dict: "keys and values", bool: "true/false"}
    if value is None:
        return "empty"
    if isinstance(value, (list, dict)):
        return f"{names[type(value)]} of {len(value)}"
    name = names.get(type(value), type(value).__name__)
    return f"{shown(value)} ({name})"


def _range(kind: str, limits: dict[str, Any]) -> str | None:
    texts = {
        "greater_than_equal": "must be {ge} or more",
        "less_than_equal": "must be {le} or less",
        "string_too_short": "must have {min_length} characters or more",
        "string_too_long": "must have {max_length} characters or fewer",
        "too_short": "needs at least {min_length} entry",
    }
    return texts[kind].format(**limits) if kind in texts else None


def _suggest(word: str, known: list[str]) -> str:
    near = did_you_mean(word, known)
    return f"did you mean {near}?" if near else f"allowed here: {', '.join(known)}"


def _section(path: KeyPath) -> type[BaseModel] | None:
    """Return the model that the last part of a path belongs to."""
    model: Any = RecordFile
    for part in path[:-1]:
        if isinstance(part, int) or part in ("dev", "test", "prod"):
            continue
        field = model.model_fields.get(part)
        model = _model_in(field.annotation) if field else None
        if model is None:
            return None
    return model  # type: ignore[no-any-return]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def _known_keys(path: KeyPath) -> list[str]:
    section = _section(path)
    return sorted(section.model_fields) if section else []


def _described(path: KeyPath) -> str:
    section = _section(path)
    field = section.model_fields.get(str(path[-1])) if section else None
    return f"add it: {field.description}" if field and field.description else "add it"
