"""The online store: the newest entities' last rows, a bounded number of them."""

from collections.abc import Callable
from typing import Any

from mlstep.canonical import pretty, read_json, write_atomic
from mlstep.platform import Platform
from mlstep_features import offline
from mlstep_features.repository import View, folder, open_store

# SQLite takes in some thousand rows a second; the newest entities are those that are asked for.
DEFAULT_ENTITIES = 5_000
BATCH_ROWS = 1_000
Progress = Callable[[int, int, str], None]


def materialize(
    platform: Platform, views: list[View], entities: int | None, progress: Progress
) -> list[dict[str, Any]]:
    """Write each view's newest entities into the online store, in batches; views whose rows are there already are left.

    Args:
        entities: at most so many a view, the newest first; None for all.
        progress: called with (done, total, view).
    """
    done = state(platform)
    todo = [
        view
        for view in views
        if view.origin is not None and not _is_current(done.get(view.data_set.view), view, entities)
    ]
    for view in todo:
        done[view.data_set.view] = _write(platform, view, entities, progress)
        write_atomic(folder(platform.root) / "materialized.json", pretty(done))
    changed = {view.data_set.view for view in todo}
    return [{**done[name], "view": name, "changed": name in changed} for name in sorted(done)]


def state(platform: Platform) -> dict[str, dict[str, Any]]:
    """What the online store holds a view, as last written; nothing if the store is gone."""
    path = folder(platform.root) / "materialized.json"
    if not path.is_file() or not (folder(platform.root) / "online.db").is_file():
        return {}
    content: dict[str, dict[str, Any]] = read_json(path)
    return content


def _is_current(known: dict[str, Any] | None, view: View, entities: int | None) -> bool:
    return known is not None and known["digest"] == (view.origin or {})["digest"] and known["limit"] == entities


def _write(platform: Platform, view: View, entities: int | None, progress: Progress) -> dict[str, Any]:
    store = open_store(platform.root)
    rows = offline.newest(platform.root, view.data_set, entities)
    for start in range(0, rows.height, BATCH_ROWS):
        batch = rows.slice(start, BATCH_ROWS)
        store.write_to_online_store(view.data_set.view, batch.to_pandas())
        progress(start + batch.height, rows.height, view.data_set.view)
    total = offline.newest(platform.root, view.data_set, None).height if entities is not None else rows.height
    time = str(view.data_set.time)
    return {
        "digest": (view.origin or {})["digest"],
        "limit": entities,
        "entities": rows.height,
        "entities_offline": total,
        "newest": rows[time].max().isoformat() if rows.height else None,  # type: ignore[union-attr]
        "oldest": rows[time].min().isoformat() if rows.height else None,  # type: ignore[union-attr]
    }
