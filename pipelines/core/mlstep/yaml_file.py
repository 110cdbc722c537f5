"""YAML files read strictly: a duplicate key is an error, and every error has a line."""

from pathlib import Path
from typing import Any

from mlstep.errors import ConfigError

_LARGEST_BYTES = 5_000_000


def load_map(path: Path) -> dict[str, Any]:
    """Parse a YAML file that must hold a map.

    Raises:
        ConfigError: missing, too large, not UTF-8, not YAML, a duplicate key, or not a map; with line and column.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "check the path") from None
    if len(data) > _LARGEST_BYTES:
        raise ConfigError(
            f"{path}: {len(data)} bytes", f"a definition has at most {_LARGEST_BYTES} bytes; is this a data file?"
        )
    try:
        return parse_map(data.decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8", "save the file as UTF-8") from None


def parse_map(text: str, name: str) -> dict[str, Any]:
    """Parse YAML text that must hold a map; `name` is used in messages.

    Raises:
        ConfigError: not YAML, a duplicate key, or not a map.
    """
    import yaml

    try:
        content = yaml.load(text, Loader=_loader())  # noqa: S506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError(
            f"{name}{where}: {error.problem or error.context}", "write valid YAML, indented with spaces"
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: {error}", "write valid YAML") from None
    if not isinstance(content, dict):
        found = "nothing" if content is None else f"a {type(content).__name__}"
        raise ConfigError(f"{name}: holds {found}", "write a map of keys and values")
    return content


def _loader() -> Any:
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Strict(base):  # type: ignore[misc, valid-type]
        """The safe loader, refusing a key that is there twice."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            """Build a map."""
            seen: set[Any] = set()
            for key_node, _ in node.value:
                key = self.construct_object(key_node, deep=True)
                if isinstance(key, str) and key in seen and key != "<<":
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key!r} is there twice", key_node.start_mark
                    )
                if isinstance(key, str):
                    seen.add(key)
            mapping: dict[Any, Any] = super().construct_mapping(node, deep)
            return mapping

    return Strict
