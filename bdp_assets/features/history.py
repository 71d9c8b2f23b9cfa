"""Events of an entity kind, sorted so that any window of any entity is one slice with known sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bdp_assets.features.aggregates import Ints
from bdp_assets.features.fields import EVENTS, Field

BEFORE = -(2**62)
"""The time (ms) of what no window can reach any more, but one over all history."""


Places = Sequence[NDArray[np.unsignedinteger]]
Merge = Callable[[Ints, Iterable[Ints]], Places]
"""`keys.searchsorted(one)` for several arrays that ascend, as the keys do."""


class Rows(Protocol):
    """n events, and summaries of several, in order of arrival within each entity.

    `entity`: codes from 0; `ts`: when they count (ms), or BEFORE; int64 [n] each. `are_events`: whether each
    row is one event; `summarised`: whether a row may stand for several, or for one at another time.
    """

    @property
    def entity(self) -> Ints: ...
    @property
    def ts(self) -> Ints: ...
    @property
    def are_events(self) -> bool: ...
    @property
    def summarised(self) -> bool: ...
    def field(self, field: Field) -> Ints: ...


class NoRows:
    """No events at all."""

    are_events = False
    summarised = False
    entity = ts = np.empty(0, dtype=np.int64)

    def field(self, field: Field) -> Ints:
        return self.ts


@dataclass(frozen=True)
class Queries:
    """n transactions to answer: `entity` codes, `ts` and, for include_current, their `own` fields, int64 [n].

    `exact_from`: how many sorted rows of the history lie before those that are exact for each; None: all are.
    `in_order`: whether they are sorted by entity and time, as the history is.
    """

    entity: Ints
    ts: Ints
    own: Mapping[Field, Ints]
    exact_from: Ints | None = None
    in_order: bool = False

    def part(self, rows: slice) -> Queries:
        if rows.start == 0 and rows.stop >= len(self.ts):
            return self
        own = {field: values[rows] for field, values in self.own.items()}
        exact_from = None if self.exact_from is None else self.exact_from[rows]
        return Queries(self.entity[rows], self.ts[rows], own, exact_from, self.in_order)


class History:
    """Rows, sorted by entity and time. Those of the same time stay in order of arrival."""

    def __init__(self, rows: Rows, merge: Merge | None = None) -> None:
        """`merge`: what finds places faster where queries are in order."""
        self._merge = merge
        self.summarised = rows.summarised
        self.are_events = rows.are_events
        self._rows = rows
        first, last = _ends(rows.ts)
        self._shift, self._span = 1 - first, last - first + 3
        keys = self._key(rows.entity, rows.ts)
        self._order = None if (keys[1:] >= keys[:-1]).all() else np.argsort(keys, kind="stable")
        self._keys = keys if self._order is None else keys[self._order]
        self._fields: dict[Field, Ints] = {}
        self._seen: dict[tuple[str, Field], Ints] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def search(self, entity: Ints, ts: Ints) -> Ints:
        """For each of [..., n] times, how many sorted rows belong to earlier entities, or lie before it."""
        return self._keys.searchsorted(self._wanted(entity, ts))

    def merge(self, entity: Ints, ts: Iterable[Ints]) -> Places:
        """The same for several arrays of [n] times that ascend, entity by entity."""
        assert self._merge is not None  # noqa: S101 - who has queries in order brings one
        return self._merge(self._keys, (self._wanted(entity, times) for times in ts))

    def _wanted(self, entity: Ints, ts: Ints) -> Ints:
        inside = np.minimum(np.maximum(ts + self._shift, 1), self._span - 1)
        inside += entity * self._span
        return inside

    def begin(self, entity: Ints) -> Ints:
        """How many sorted rows belong to earlier entities."""
        return self._keys.searchsorted(entity * self._span)

    def field(self, field: Field) -> Ints:
        """A field of each sorted row, int64 [n]."""
        if field not in self._fields:
            values = self._rows.field(field)
            self._fields[field] = values if self._order is None else values[self._order]
        return self._fields[field]

    def running_sums(self, fields: Sequence[Field]) -> Ints:
        """int64 [fields, n + 1]: a slice's sum is the difference of two."""
        sums = np.zeros((len(fields), len(self) + 1), dtype=np.int64)
        for row, field in zip(sums, fields, strict=True):
            if field == EVENTS and self.are_events:
                row[:] = np.arange(len(row))
                continue
            values = self._rows.field(field)
            (values if self._order is None else values[self._order]).cumsum(out=row[1:])
        return sums

    def last_seen(self, field: Field) -> Ints:
        """For each position, the last row before it that is seen, -1 without; int64 [n + 1]."""
        if ("last", field) not in self._seen:
            found = np.where(self.field(field) > 0, np.arange(len(self)), -1)
            self._seen["last", field] = np.concatenate([[-1], np.maximum.accumulate(found)])
        return self._seen["last", field]

    def first_seen(self, field: Field) -> Ints:
        """For each position, the first row from it on that is seen, n without; int64 [n + 1]."""
        if ("first", field) not in self._seen:
            found = np.where(self.field(field) > 0, np.arange(len(self)), len(self))
            ahead = np.minimum.accumulate(found[::-1])[::-1]
            self._seen["first", field] = np.concatenate([ahead, [len(self)]])
        return self._seen["first", field]

    def _key(self, entity: Ints, ts: Ints) -> Ints:
        entities = int(entity.max()) + 1 if entity.size else 0
        if entities * self._span >= 2**63:
            raise OverflowError(
                f"{entities} entities over {self._span} ms are too many for one sort; split the rows"
            )
        key: Ints = entity * self._span + np.maximum(ts + self._shift, 0)
        return key


def _ends(ts: Ints) -> tuple[int, int]:
    """First and last time, without what lies before every window."""
    if not ts.size:
        return 0, 0
    first = int(ts.min())
    if first == BEFORE:
        dated = ts[ts != BEFORE]
        first = int(dated.min()) if dated.size else 0
    return first, max(int(ts.max()), first)
