"""Do training and serving see the same? The point-in-time join against the online store, entity by entity."""

import math
import warnings
from dataclasses import dataclass, field
from typing import Any

from mlstep.platform import Platform
from mlstep_features import offline
from mlstep_features.repository import View, open_store


@dataclass(frozen=True)
class Comparison:
    """Training features at an entity's last time against its online features.

    Attributes:
        compared: values compared (entities times features).
        differences: those that differ, as {key, feature, training, online}.
    """

    view: str
    entities: int
    compared: int
    differences: list[dict[str, Any]] = field(default_factory=list)


def compare(platform: Platform, view: View, entities: int) -> Comparison:
    """Compare the newest entities of a view, both ways through Feast.

    Args:
        entities: how many, the newest first; they must have been materialised.
    """
    data_set, store = view.data_set, open_store(platform.root)
    rows = offline.newest(platform.root, data_set, entities)
    if rows.height == 0:
        return Comparison(data_set.view, 0, 0)
    keys, references = list(data_set.keys), [f"{data_set.view}:{name}" for name in data_set.features]
    asked = rows.select([*keys, str(data_set.time)]).rename({str(data_set.time): "event_timestamp"})
    with warnings.catch_warnings():
        # Ibis calls DuckDB by an old name; nothing a reader of this check could do about it.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="ibis")
        training = (
            store.get_historical_features(entity_df=asked.to_pandas(), features=references).to_arrow().to_pylist()
        )
    entity_rows = rows.select(keys).to_dicts()
    online = store.get_online_features(features=references, entity_rows=entity_rows).to_dict()
    by_key: dict[tuple[Any, ...], dict[str, Any]] = {tuple(row[key] for key in keys): row for row in training}
    differences = []
    for index, entity in enumerate(entity_rows):
        key = tuple(entity.values())
        for name in data_set.features:
            expected, found = by_key.get(key, {}).get(name, "row missing"), online[name][index]
            if not _same(expected, found):
                differences.append({"key": entity, "feature": name, "training": expected, "online": found})
    return Comparison(data_set.view, rows.height, rows.height * len(data_set.features), differences)


def _same(expected: Any, found: Any) -> bool:
    # A missing number is NaN in one path and None in the other; both mean missing.
    return bool(expected == found) or (_missing(expected) and _missing(found))


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
