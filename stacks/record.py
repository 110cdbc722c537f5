"""Load and check a workspace's record: parsed once, here only.

`python -m stacks.record --write-schema` writes the JSON Schema for editors; `--check-schema` fails when the committed
one is not what the model says.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stacks.local_folder import platform_root
from stacks.problems import Problem, did_you_mean, render
from stacks.record_model import Local, RecordFile
from stacks.record_rules import RULES
from stacks.record_shape import shape_problems
from stacks.record_view import View
from stacks.yaml_source import SourceError, read

if TYPE_CHECKING:
    import pulumi

REPOSITORY = Path(__file__).resolve().parent.parent
SCHEMA = REPOSITORY / "stacks" / "record.schema.json"


class RecordError(Exception):
    """A record cannot be used; the text lists every problem with line, key, value and remedy."""

    def __init__(self, label: str, problems: Sequence[Problem]) -> None:
        super().__init__(render(label, problems))
        self.label = label
        self.problems = tuple(sorted(problems))


@dataclass(frozen=True)
class Record:
    """What one stack (`<workspace>-<environment>`) is to be: the checked record seen from one environment."""

    file: RecordFile
    """Everything the team wrote."""
    environment: str
    """dev, test or prod."""
    path: Path
    """Where the record was read."""
    repository: Path
    """Folder that the record's relative paths start from."""

    @property
    def stack_name(self) -> str:
        """Name of the Pulumi stack."""
        return f"{self.file.workspace}-{self.environment}"

    @property
    def stage(self) -> int:
        """Stage of this environment, 1 to 4."""
        return self.file.environments[self.environment].stage or self.file.stage  # type: ignore[index]

    @property
    def local(self) -> Local:
        """Settings of this environment on one machine."""
        return self.file.environments[self.environment].local or Local()  # type: ignore[index]

    @property
    def root(self) -> Path:
        """Folder that holds everything of this environment on one machine."""
        return platform_root(self.file.workspace, self.environment, self.local.data_dir)

    def absolute(self, path: str) -> Path:
        """Return a path of the record as an absolute one."""
        return (self.repository / Path(path).expanduser()).resolve()


def check(path: Path, root: Path | None = None) -> list[Problem]:
    """Return every problem of a record, sorted by line; an empty list means it can be used.

    `root` is the folder that the record's relative paths start from; by default this repository.
    """
    root = root or REPOSITORY
    try:
        source = read(path)
    except SourceError as error:
        return [error.problem]
    view = View(source)
    ruled = [problem for rule in RULES for problem in rule(view, root)]
    # A rule knows more than the shape check about the same key, so its sentence stands.
    spoken_for = {problem.key for problem in ruled}
    shape = [problem for problem in shape_problems(source) if problem.key not in spoken_for]
    return sorted([*ruled, *shape])


def record_path(workspace: str, root: Path | None = None) -> Path:
    """Return where the record of a workspace lives.

    `STRATA_RECORDS` names another folder, so that an organisation keeps its records in a repository of its own.
    """
    elsewhere = os.environ.get("STRATA_RECORDS")
    if elsewhere and root in (None, REPOSITORY):
        return Path(elsewhere).expanduser() / f"{workspace}.yaml"
    return (root or REPOSITORY) / "stacks" / "workspaces" / f"{workspace}.yaml"


def workspaces(root: Path | None = None) -> list[str]:
    """Return the names of all workspaces that have a record."""
    return sorted(path.stem for path in record_path("any", root).parent.glob("*.yaml"))


def load(stack_name: str, root: Path | None = None) -> Record:
    """Return the record of a stack.

    Raises:
        RecordError: the stack's name, or the record, is wrong; the message lists every problem.
    """
    root = root or REPOSITORY
    workspace, _, environment = stack_name.rpartition("-")
    path = record_path(workspace or stack_name, root)
    label = shown_path(path, root)
    if environment not in ("dev", "test", "prod") or not path.is_file():
        raise RecordError(f"stack {stack_name}", [_unknown_stack(stack_name, workspace, environment, root)])
    problems = check(path, root)
    if problems:
        raise RecordError(label, problems)
    file = RecordFile.model_validate(read(path).data)
    if environment not in file.environments:
        named = ", ".join(file.environments)
        problem = Problem(0, 0, f"environments.{environment}", "missing", f"add it, or use one of: {named}")
        raise RecordError(label, [problem])
    return Record(file, environment, path, root)


def shown_path(path: Path, root: Path | None = None) -> str:
    """Return a path as short as it can be said."""
    root = root or REPOSITORY
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _unknown_stack(stack_name: str, workspace: str, environment: str, root: Path) -> Problem:
    if environment not in ("dev", "test", "prod"):
        found = f"{stack_name} does not end in an environment"
        return Problem(0, 0, "", found, "write <workspace>-dev, <workspace>-test or <workspace>-prod")
    known = workspaces(root)
    near = did_you_mean(workspace, known)
    found = f"no record {shown_path(record_path(workspace, root), root)}"
    return Problem(
        0, 0, "", found, f"did you mean {near}-{environment}?" if near else f"workspaces: {', '.join(known)}"
    )


def secret_setting(name: str) -> pulumi.Output[str]:
    """Return a secret setting of the stack; secrets are the only choices that are not in the record.

    Raises:
        pulumi.RunError: the setting is missing; the message gives the command that sets it.
    """
    import pulumi

    value = pulumi.Config().get_secret(name)
    if value is None:
        raise pulumi.RunError(f"secret setting {name} is missing; run: pulumi config set --secret {name}")
    return value


def schema_text() -> str:
    """Return the JSON Schema of a record, as committed."""
    schema = RecordFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write or check the committed JSON Schema; return the exit code."""
    if list(arguments) == ["--write-schema"]:
        _write(SCHEMA, schema_text())
        return 0
    if list(arguments) == ["--check-schema"]:
        if SCHEMA.is_file() and SCHEMA.read_text(encoding="utf-8") == schema_text():
            return 0
        sys.stderr.write("stacks/record.schema.json is out of date; run: python -m stacks.record --write-schema\n")
        return 1
    sys.stderr.write("usage: python -m stacks.record --write-schema | --check-schema\n")
    return 2


def _write(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
