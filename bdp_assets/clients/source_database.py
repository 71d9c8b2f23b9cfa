"""Tables of databases that are not ours, read in the order of a column that only grows.

What is the same of every database; `source_postgresql` and `source_mysql` know theirs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 60
LOOK_EVERY_S = 0.2
PATIENCE_S = 60.0

_KEPT = (str, int, float, date, dict, list)

Place = tuple[str, str]
"""Cursor and key of a row, as the database writes them; the key orders rows of one cursor."""


class SourceUnavailable(Exception):  # noqa: N818 - reads as what it is
    """The database does not let us in, or is away; the same call may succeed later. Holds no secret."""


class SourceRefused(Exception):  # noqa: N818 - reads as what it is
    """The database says no: a table or column that is not there, no right to read it."""


@dataclass(frozen=True)
class Table:
    """`name` may have a schema before a dot. `columns`: those to read."""

    name: str
    cursor: str
    key: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """Rows in order, as values of `Table.columns`, and the place after each."""

    rows: Sequence[tuple[Any, ...]]
    places: Sequence[Place]


class SourceTable(Protocol):
    """What a database's client opens. Its methods raise SourceUnavailable, SourceRefused."""

    def has_rows_without_place(self) -> bool:
        """Whether some row lacks its cursor or key: it would never be read."""

    def settled_end(self) -> str | None:
        """The highest cursor below which no row can appear any more; None: the table is empty.

        A row with a lower number may be committed after one with a higher. So this takes the highest one and
        waits for all transactions that were under way by then: SourceUnavailable after a minute.
        """

    def page(self, after: Place | None, end: str, most: int) -> Page:
        """The next rows up to and with the cursor `end`; empty only where there is none."""


def wait_while(under_way: Callable[[], bool], shown_by: str) -> None:
    """Until transactions that may yet bring rows have ended; `shown_by`: where people see them.

    Raises SourceUnavailable after a minute.
    """
    deadline = time.monotonic() + PATIENCE_S
    while under_way():
        if time.monotonic() > deadline:
            raise SourceUnavailable(
                f"A transaction of the source's database has been open for {PATIENCE_S:g} s, and may "
                f"bring rows with a lower cursor yet. End it ({shown_by} shows it), then run this again."
            )
        time.sleep(LOOK_EVERY_S)


def plain(value: Any) -> Any:
    """Numbers exact, as text; what has no type of its own in a frame (a UUID, say) as text too."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return value if value is None or isinstance(value, _KEPT) else str(value)
