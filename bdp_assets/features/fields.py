"""What can be read of a single event: the numbers that windows add up, compare, or pick."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bdp_assets.features.aggregates import Ints
from bdp_assets.features.compiled.codes import (
    HIGH_BITS,
    LOW_BITS,
    NEVER,
    NONE_HIGHEST,
    NONE_LOWEST,
    ONE,
    SQUARE_BITS,
    VALUES,
)
from bdp_assets.features.formulas import FILTERS, LABEL_FILTER

Bools = NDArray[np.bool_]
Kind = Literal[
    "count",  # 1 where the event matches the filter, else 0; a label taken back counts -1
    "sum",  # the column where it matches, else 0
    "squares_high",  # of the column's square what is above SQUARE_BITS, 0 where it does not match
    "squares_low",  # and the bits below
    "min",  # the column where it matches, else NONE_LOWEST
    "max",  # the column where it matches, else NONE_HIGHEST
    "last",  # the column
    "seen",  # 1 where it matches, else 0; for labels: where more came than went in the tile
    "first_ms",  # when the first matching event happened: an event's own time
    "last_ms",  # when the last one did
    "id",  # a code for the column's value where it matches, -1 where not or where there is no value
]
_LOW = (1 << SQUARE_BITS) - 1
_HALF = SQUARE_BITS // 2
_PLAIN = 2**31
"""Squares of numbers up to this fit in an int64."""


class Field(NamedTuple):
    """`delay` and `hop` are set for label filters only: they decide when and where a label counts."""

    kind: Kind
    column: str | None = None
    filter: str | None = None
    delay: int = 0
    hop: int = 0

    @property
    def of_labels(self) -> bool:
        return self.filter == LABEL_FILTER

    @property
    def absent(self) -> int:
        """What it is where nothing matches."""
        return _ABSENT.get(self.kind, 0)


EVENTS = Field("count")


class Source(NamedTuple):
    """How a field is read of rows in columns: `op` of `codes`; where the filter does not match, `absent`."""

    op: int
    column: str | None = None
    filter: str | None = None
    absent: int = 0


def source_of(field: Field) -> Source:
    """How a field is read of events. Not for labels."""
    if field.kind in ("first_ms", "last_ms"):
        return Source(VALUES, "ts_ms")
    if field.column is None:
        return Source(ONE, None, field.filter)
    if field.kind == "last":
        return Source(VALUES, field.column)
    return Source(_OPS.get(field.kind, VALUES), field.column, field.filter, field.absent)


def event_field(field: Field, columns: Mapping[str, Ints]) -> Ints:
    """The field of each event, int64 [n]; `columns` by name, ids as codes (-1: none). Not for labels."""
    op, column, _, absent = source = source_of(field)
    match = matching(source.filter, columns)
    if column is None:
        return np.ones_like(columns["ts_ms"]) if match is None else match.astype(np.int64)
    values = columns[column]
    if op in (HIGH_BITS, LOW_BITS):
        high, low = _squares(values)
        values = high if op == HIGH_BITS else low
    return values if match is None else np.where(match, values, absent)


_OPS: Mapping[Kind, int] = {"squares_high": HIGH_BITS, "squares_low": LOW_BITS}
_ABSENT: Mapping[Kind, int] = {
    "min": NONE_LOWEST,
    "max": NONE_HIGHEST,
    "id": -1,
    "first_ms": NEVER,
    "last_ms": -1,
}


def matching(name: str | None, columns: Mapping[str, Ints]) -> Bools | None:
    """Which events a filter matches, bool [n]; None: all."""
    if name is None:
        return None
    chosen = FILTERS[name]
    found: Bools = chosen.test(columns[chosen.column])
    return found


def _squares(values: Ints) -> tuple[Ints, Ints]:
    """The square of numbers below 2**40, whole: what is above SQUARE_BITS, and what is below."""
    if int(values.max(initial=0)) <= _PLAIN:
        square = values * values
        return square >> SQUARE_BITS, square & _LOW
    high, low = values >> _HALF, values & ((1 << _HALF) - 1)
    middle = 2 * high * low
    below = ((middle & ((1 << _HALF) - 1)) << _HALF) + low * low
    return high * high + (middle >> _HALF) + (below >> SQUARE_BITS), below & _LOW
