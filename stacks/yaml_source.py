"""Read a YAML file into plain data that still knows line and column of every key.

Anchors, tags and several documents are refused: reviewers must see in the file exactly what will be built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stacks.problems import KeyPath, Problem, shown

MAXIMUM_BYTES = 1024 * 1024
"""Largest accepted file, in bytes: a record is written by hand."""

DEEPEST = 20
"""Levels of nesting."""


class SourceError(Exception):
    """The file cannot be read as one YAML mapping; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.found}; {problem.remedy}")
        self.problem = problem


@dataclass(frozen=True)
class Source:
    """The plain data of one YAML file and the position of every key in it."""

    path: Path
    data: dict[str, Any]
    positions: Mapping[KeyPath, tuple[int, int]] = field(repr=False)

    def position(self, path: KeyPath) -> tuple[int, int]:
        """Return 1-based line and column of a key, or of its nearest parent that is in the file."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.positions:
                return self.positions[path[:length]]
        return (1, 1)


def read(path: Path) -> Source:
    """Read one YAML mapping.

    Raises:
        SourceError: the file is missing, unreadable, empty, too large, not UTF-8 or not a plain YAML mapping.
    """
    text = _text(path)
    _refuse_hidden_content(text)
    loaded = _load(text)
    if loaded is None:
        raise SourceError(_whole("only comments", "start from stacks/workspaces/demo.yaml"))
    if not isinstance(loaded, dict):
        kind = "a list" if isinstance(loaded, list) else f"the single value {shown(loaded)}"
        raise SourceError(Problem(1, 1, "", f"{kind} instead of keys and values", "write `workspace: …` and so on"))
    positions: dict[KeyPath, tuple[int, int]] = {}
    return Source(path, _plain(loaded, (), positions), positions)


def _whole(found: str, remedy: str) -> Problem:
    return Problem(0, 0, "", found, remedy)


def _text(path: Path) -> str:
    if not path.exists():
        raise SourceError(_whole("file not found", "create it, or name another workspace"))
    if not path.is_file():
        raise SourceError(_whole("not a file", "a record is one YAML file"))
    size = path.stat().st_size
    if size > MAXIMUM_BYTES:
        found = f"file of {size / MAXIMUM_BYTES:.1f} MiB"
        raise SourceError(_whole(found, "a record is at most 1 MiB; data belongs in the files it points to"))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(_whole(f"byte {error.start} is not UTF-8", "save the file as UTF-8")) from None
    except OSError as error:
        raise SourceError(_whole(f"cannot be read: {error.strerror}", "check owner and mode of the file")) from None
    if not text.strip():
        raise SourceError(_whole("empty file", "start from stacks/workspaces/demo.yaml"))
    for number, line in enumerate(text.splitlines(), start=1):
        indent = line[: len(line) - len(line.lstrip())]
        if "\t" in indent:
            column = indent.index("\t") + 1
            raise SourceError(Problem(number, column, "", "a tab used as indentation", "indent with spaces"))
    return text


def _refuse_hidden_content(text: str) -> None:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    documents = depth = 0
    try:
        for event in YAML(typ="rt", pure=True).parse(text):
            mark = event.start_mark
            name = type(event).__name__
            depth += name.endswith(("MappingStartEvent", "SequenceStartEvent"))
            depth -= name.endswith(("MappingEndEvent", "SequenceEndEvent"))
            # Looked at before the whole is loaded: the time for deep nesting grows with its square.
            if depth > DEEPEST:
                raise SourceError(_at(mark, "nested too deeply", f"a record has fewer than {DEEPEST} levels"))
            documents += name == "DocumentStartEvent"
            if documents > 1:
                raise SourceError(_at(mark, "a second YAML document", "one file holds one record"))
            if name == "AliasEvent" or getattr(event, "anchor", None):
                raise SourceError(_at(mark, "a YAML anchor or alias", "write the value out, so that reviewers see it"))
            if getattr(event, "ctag", None) is not None and str(event.ctag) not in ("", "None", "!"):
                raise SourceError(_at(mark, f"a YAML tag ({event.ctag})", "write plain values"))
    except YAMLError as error:
        raise SourceError(_syntax(error)) from None


def _load(text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="rt", pure=True).load(text)
    except YAMLError as error:
        raise SourceError(_syntax(error)) from None


def _syntax(error: Any) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = (getattr(error, "problem", None) or str(error)).splitlines()[0]
    if type(error).__name__ == "DuplicateKeyError":
        key = what.split('"')[1] if '"' in what else what
        return _at(mark, f"key {key} appears twice", "keep one of the two")
    context = getattr(error, "context", None)
    found = f"not valid YAML: {what}" + (f" ({context})" if context else "")
    return _at(mark, found, "check colons, quotes and indentation here and in the line before")


def _at(mark: Any, found: str, remedy: str) -> Problem:
    if mark is None:
        return _whole(found, remedy)
    return Problem(mark.line + 1, mark.column + 1, "", found, remedy)


def _plain(value: Any, path: KeyPath, positions: dict[KeyPath, tuple[int, int]]) -> Any:
    """Return ruamel's annotated containers as plain ones, noting where each key stood."""
    if isinstance(value, dict):
        result = {}
        for key, child in value.items():
            line, column = value.lc.key(key)  # type: ignore[attr-defined]
            positions[(*path, str(key))] = (line + 1, column + 1)
            result[str(key)] = _plain(child, (*path, str(key)), positions)
        return result
    if isinstance(value, list):
        items = []
        for index, child in enumerate(value):
            line, column = value.lc.item(index)  # type: ignore[attr-defined]
            positions[(*path, index)] = (line + 1, column + 1)
            items.append(_plain(child, (*path, index), positions))
        return items
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
