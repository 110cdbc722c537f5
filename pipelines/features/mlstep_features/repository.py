"""The Feast repository below `<root>/features/`: its configuration, and the objects in its registry."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlstep.canonical import digest_json, pretty, read_json, write_atomic
from mlstep.errors import ConfigError
from mlstep.platform import Platform
from mlstep_features import offline
from mlstep_features.datasets import DataSet, data_sets, latest_snapshot

if TYPE_CHECKING:
    from feast import FeatureStore

# The Dask file store drops rows with equal key and time in a historical join (feast#6787); DuckDB keeps them.
CONFIG = """\
# Written by `mlstep features`; changes are overwritten.
project: {project}
provider: local
registry: {{registry_type: file, path: {folder}/registry.db}}
offline_store: {{type: duckdb}}
online_store: {{type: sqlite, path: {folder}/online.db}}
entity_key_serialization_version: 3
auth: {{type: no_auth}}
"""
VALUE_TYPES = {"integer": "INT64", "number": "DOUBLE", "boolean": "BOOL", "text": "STRING", "time": "UNIX_TIMESTAMP"}
FIELD_TYPES = {"integer": "Int64", "number": "Float64", "boolean": "Bool", "text": "String", "time": "UnixTimestamp"}


@dataclass(frozen=True)
class View:
    """A data set and the rows behind its feature view; no rows yet: `origin` is None and `reason` says why."""

    data_set: DataSet
    origin: dict[str, Any] | None
    reason: str | None

    def as_json(self) -> dict[str, Any]:
        """For people and scripts."""
        return {
            "data_set": self.data_set.name,
            "view": self.data_set.view,
            "state": "waiting" if self.origin is None else "applied",
            "reason": self.reason,
            "keys": list(self.data_set.keys),
            "features": list(self.data_set.features),
            "rows": None if self.origin is None else self.origin["rows"],
            "run": None if self.origin is None else self.origin["run"],
            "snapshot": None if self.origin is None else self.origin["snapshot"],
        }


def folder(root: Path) -> Path:
    """The Feast repository."""
    return root / "features"


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """One writer of the repository at a time: a server that starts and a pipeline that ends meet here."""
    folder(root).mkdir(parents=True, exist_ok=True)
    with (folder(root) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def apply(platform: Platform) -> tuple[list[View], bool]:
    """Bring offline files and registry to what contracts and latest snapshots say; also whether anything changed.

    Without any rows it leaves a valid repository without feature views. Feast is imported only when something changed.

    Raises:
        ConfigError: a contract or a snapshot's columns are wrong, or two data sets disagree about a key's type.
        IntegrityError: a snapshot does not match its manifest.
    """
    views = [_view(platform.root, data_set) for data_set in data_sets(platform)]
    _check_keys(views)
    config = CONFIG.format(project=_project(platform), folder=folder(platform.root))
    wanted = {"config": config, "views": [_definition(view) for view in views if view.origin is not None]}
    marker = folder(platform.root) / "applied.json"
    if _is_applied(platform.root, marker, digest_json(wanted)):
        return views, False
    write_atomic(folder(platform.root) / "feature_store.yaml", config)
    _register(platform.root, [view for view in views if view.origin is not None])
    write_atomic(marker, pretty({"digest": digest_json(wanted), "views": [view.as_json() for view in views]}))
    return views, True


def open_store(root: Path) -> "FeatureStore":
    """Feast's handle on the repository."""
    # Read by Feast at import, where a release still counts usage.
    os.environ["FEAST_USAGE"] = "False"
    from feast import FeatureStore

    return FeatureStore(repo_path=str(folder(root)))


def _view(root: Path, data_set: DataSet) -> View:
    if data_set.obstacle is not None:
        return View(data_set, None, data_set.obstacle)
    snapshot = latest_snapshot(root, data_set)
    if snapshot is None:
        return View(
            data_set,
            None,
            f"no run has ingested rows under this {data_set.contract.name} that validate and pii let pass",
        )
    return View(data_set, offline.build(root, data_set, snapshot), None)


def _definition(view: View) -> dict[str, Any]:
    origin = view.origin or {}
    return {
        "view": view.data_set.view,
        "owner": view.data_set.owner,
        "keys": list(view.data_set.keys),
        "columns": origin["columns"],
        "digest": origin["digest"],
    }


def _is_applied(root: Path, marker: Path, digest: str) -> bool:
    there = all((folder(root) / name).is_file() for name in ("registry.db", "feature_store.yaml"))
    return there and marker.is_file() and read_json(marker)["digest"] == digest


def _register(root: Path, views: list[View]) -> None:
    store = open_store(root)
    objects = [item for view in views for item in _objects(root, view)]
    wanted = {view.data_set.view for view in views}
    gone = [old for old in store.list_feature_views() if old.name not in wanted]
    if not objects and not gone:
        store.registry.commit()  # An empty registry is a file too: the server needs one to start.
        return
    store.apply(objects, objects_to_delete=gone, partial=False)


def _objects(root: Path, view: View) -> list[Any]:
    from feast import Entity, FeatureView, Field, FileSource, ValueType, types
    from feast.data_format import ParquetFormat

    data_set, columns = view.data_set, (view.origin or {})["columns"]
    tags = {"owner": data_set.owner, "contract": data_set.contract_digest, "snapshot": (view.origin or {})["snapshot"]}
    entities = [
        Entity(name=key, join_keys=[key], value_type=ValueType[VALUE_TYPES[columns[key]]]) for key in data_set.keys
    ]
    rows = str(offline.parquet(root, data_set.view))
    source = FileSource(name=data_set.view, path=rows, timestamp_field=data_set.time, file_format=ParquetFormat())
    schema = [
        Field(name=name, dtype=getattr(types, FIELD_TYPES[columns[name]]))
        for name in (*data_set.keys, *data_set.features)
    ]
    feature_view = FeatureView(
        name=data_set.view, entities=entities, ttl=None, schema=schema, source=source, online=True, tags=tags
    )
    return [*entities, source, feature_view]


def _check_keys(views: list[View]) -> None:
    kinds: dict[str, tuple[str, str]] = {}
    for view in views:
        for key in view.data_set.keys if view.origin is not None else ():
            kind, name = (view.origin or {})["columns"][key], view.data_set.name
            first = kinds.setdefault(key, (kind, name))
            if first[0] != kind:
                raise ConfigError(
                    f"key {key} is {first[0]} in {first[1]} and {kind} in {name}",
                    "use one type for a key in all contracts, or rename it",
                )


def _project(platform: Platform) -> str:
    foundation = platform.stage("foundation")
    return f"{foundation['workspace']}_{foundation['environment']}".replace("-", "_")
