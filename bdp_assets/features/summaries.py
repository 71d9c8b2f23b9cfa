"""Several events in one row of integers: what tiles, folded events and all of history are kept as.

A row is `start` (ms, or BEFORE) and a few columns for each field that windows read. Every column has a way to
be merged, so that rows of the same start become one, in any order: here, and in tiles.lua.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from bdp_assets.features.aggregates import Ints
from bdp_assets.features.compiled.codes import ABSENT, BEFORE, SOME, SPLIT, SPLIT_BITS, VALUES
from bdp_assets.features.fields import EVENTS, Field, Kind
from bdp_assets.features.history import Rows
from bdp_assets.features.spec import WindowFeature
from bdp_assets.features.times import ALL_HISTORY
from bdp_assets.features.windows import field_of, sums_of

Merge = Literal["add", "min", "max", "latest"]
"""How columns of one start become one; `latest` takes the value of the greatest in the column before it."""


class Column(NamedTuple):
    """One integer of a summary: a field, or a part of one."""

    field: Field
    merge: Merge


class Summary:
    """The layout of an entity's rows: which fields, in which columns."""

    def __init__(self, features: Sequence[WindowFeature]) -> None:
        fields = dict.fromkeys([EVENTS, *(field for f in features for field in _kept(f))])
        self.columns = tuple(Column(field, merge) for field in fields for merge in _MERGES[field.kind])
        self.width = 1 + len(self.columns)
        self.is_timed = any(field.kind in ("first_ms", "last_ms") for field in fields)
        """Whether rows have times of their own, and do not happen at their start."""
        self._at = {field: 1 + [c.field for c in self.columns].index(field) for field in fields}

    @property
    def label_delays(self) -> list[int]:
        return sorted({column.field.delay for column in self.columns if column.field.of_labels})

    def rows(self, start: Ints, of: Callable[[Field], Ints], sequence: Ints | None = None) -> Ints:
        """Single events as rows, int64 [n, width]; `of` their fields, `sequence` what decides the latest."""
        table = np.empty((len(start), self.width), dtype=np.int64)
        table[:, 0] = start
        for field, at in self._at.items():
            for offset, values in enumerate(self._split(field, start, of, sequence)):
                table[:, at + offset] = values
        return table

    def merge(self, group: Ints, table: Ints) -> tuple[Ints, Ints]:
        """One row for each group (codes, in any order) and start: their groups, and the rows, both sorted."""
        order = np.lexsort((table[:, 0], group))
        group, table = group[order], table[order]
        if not len(group):
            return group, table
        new = np.flatnonzero(
            np.concatenate([[True], (group[1:] != group[:-1]) | (table[1:, 0] != table[:-1, 0])])
        )
        merged = table[new]
        for i, column in enumerate(self.columns, start=1):
            if column.merge == "latest":
                merged[:, i] = _of_latest(table[:, i - 1], table[:, i], new)
            else:
                merged[:, i] = _REDUCE[column.merge].reduceat(table[:, i], new)
        return group[new], merged

    def source(self, field: Field) -> tuple[int, int, int]:
        """How a field is read of rows: the op of `codes`, the column, and what it is where there is none."""
        if field.kind == "seen":
            return SOME, self._at[field._replace(kind="count", hop=0)], 0
        if field.kind == "id":
            return ABSENT, 0, field.absent
        at = self._at.get(field._replace(hop=0) if field.hop else field)
        if at is None:
            assert field.kind in ("first_ms", "last_ms")  # noqa: S101 - a tile happened when it began
            return VALUES, 0, 0
        if field.kind == "sum":
            return SPLIT, at, 0
        return VALUES, at + (field.kind == "last"), 0

    def field(self, field: Field, table: Ints) -> Ints:
        """A field of each row, int64 [n]."""
        op, at, absent = self.source(field)
        if op == SOME:
            return (table[:, at] > 0).astype(np.int64)
        if op == ABSENT:
            return np.full(len(table), absent)
        return table[:, at] + (table[:, at + 1] << SPLIT_BITS) if op == SPLIT else table[:, at]

    def _split(
        self, field: Field, start: Ints, of: Callable[[Field], Ints], sequence: Ints | None
    ) -> tuple[Ints, ...]:
        values = of(field)
        if field.kind == "sum":
            return values & ((1 << SPLIT_BITS) - 1), values >> SPLIT_BITS
        if field.kind == "last":
            assert sequence is not None  # noqa: S101 - no tile keeps a last value
            seen = of(field._replace(kind="count", column=None)) > 0
            return np.where(seen, sequence, -1), values
        if field.kind in ("first_ms", "last_ms"):
            seen = of(field._replace(kind="count", column=None)) > 0
            return (np.where(seen, values, field.absent),)
        return (values,)


def _kept(feature: WindowFeature) -> list[Field]:
    """The fields that a feature's aggregate reads of a summary."""
    field = field_of(feature)
    matching = field._replace(column=None)
    fields = [one.field for one in sums_of(feature).values()]
    kind = _READS.get(feature.aggregate)
    if kind in ("min", "max"):
        return [*fields, field._replace(kind=kind)]
    if kind == "last":
        return [matching, field._replace(kind=kind)]
    if kind is None:
        return fields
    # A tile's time is its start, so what is kept as tiles needs a time of its own for all of history only.
    timed = feature.entity.state == "events" or feature.window == ALL_HISTORY
    return [matching, *([matching._replace(kind=kind)] if timed else [])]


_READS: Mapping[str, Kind] = {
    "min": "min",
    "max": "max",
    "last": "last",
    "seconds_since_first": "first_ms",
    "seconds_since_run": "first_ms",
    "seconds_since_last": "last_ms",
}
_MERGES: Mapping[Kind, tuple[Merge, ...]] = {
    "count": ("add",),
    "sum": ("add", "add"),
    "squares_high": ("add",),
    "squares_low": ("add",),
    "min": ("min",),
    "max": ("max",),
    "first_ms": ("min",),
    "last_ms": ("max",),
    "last": ("max", "latest"),
}
_REDUCE = {"add": np.add, "min": np.minimum, "max": np.maximum}


def _of_latest(sequence: Ints, values: Ints, new: Ints) -> Ints:
    """For each group that begins at `new`, the value with the greatest sequence."""
    latest = np.maximum.reduceat(sequence, new)
    sizes = np.diff(np.append(new, len(sequence)))
    at = np.flatnonzero(sequence == np.repeat(latest, sizes))
    group = np.repeat(np.arange(len(new)), sizes)[at]
    found = np.zeros(len(new), dtype=np.int64)
    found[group] = values[at]
    return found


class SummaryRows:
    """Summaries as rows of a history: `entity` codes and the `table`, by entity and start."""

    are_events = False

    def __init__(self, summary: Summary, entity: Ints, table: Ints) -> None:
        self._summary = summary
        self._table = table
        self.entity = entity

    def between(self, first: int, last: int) -> SummaryRows:
        """Those of the entities with codes from first to last; rows are by entity."""
        part = slice(self.entity.searchsorted(first), self.entity.searchsorted(last, side="right"))
        return SummaryRows(self._summary, self.entity[part], self._table[part])

    @property
    def ts(self) -> Ints:
        return self._table[:, 0]

    def field(self, field: Field) -> Ints:
        return self._summary.field(field, self._table)


class WithSummaries:
    """Summaries, and after them rows of the same entities."""

    are_events = False

    def __init__(self, summaries: SummaryRows, rows: Rows) -> None:
        self._parts: tuple[Rows, Rows] = (summaries, rows)
        self.entity = np.concatenate([summaries.entity, rows.entity])
        self.ts = np.concatenate([summaries.ts, rows.ts])

    def field(self, field: Field) -> Ints:
        return np.concatenate([part.field(field) for part in self._parts])


def retired(start: Ints, horizon: Ints | int) -> Ints:
    """`start`, or BEFORE where it is not after the horizon (ms)."""
    return np.where(start <= horizon, BEFORE, start)
