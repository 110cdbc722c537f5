"""Cut a stream of rows into windows: once closed, a window never changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mlstep.monitoring.signals import WindowSize

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Cursor:
    """The last row of the last closed window, by time and identifier; rows after it are not in a window yet."""

    time: datetime
    request_id: str


@dataclass(frozen=True)
class Cut:
    """A closed window's rows and its last row."""

    rows: "pl.DataFrame"
    begins: datetime
    ends: Cursor


def after(rows: "pl.DataFrame", column: str, cursor: Cursor | None) -> "pl.DataFrame":
    """Rows after a cursor, in order."""
    import polars as pl

    ordered = rows.sort(column, "request_id")
    if cursor is None:
        return ordered
    later = pl.col(column) > cursor.time
    same = (pl.col(column) == cursor.time) & (pl.col("request_id") > cursor.request_id)
    return ordered.filter(later | same)


def cut(rows: "pl.DataFrame", column: str, size: WindowSize, now: datetime) -> list[Cut]:
    """Windows that are closed by now, oldest first; rows are in order, `column` is the time that orders them."""
    cuts = []
    while rows.height:
        old = now - rows.item(0, column) >= timedelta(hours=size.close_after_hours)
        if rows.height < size.rows and not (old and rows.height >= size.minimum_rows):
            break
        window = rows.head(size.rows)
        cuts.append(Cut(window, window.item(0, column), Cursor(window.item(-1, column), window.item(-1, "request_id"))))
        rows = rows.slice(window.height)
    return cuts
