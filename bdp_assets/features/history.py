"""Events of an entity kind, sorted so that any window of any entity is one slice with known sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bdp_assets.features.aggregates import Ints
from bdp_assets.features.formulas import FILTERS

_LOW_BITS = 20  # Of a column's 40: the square of either part, and their product, sum up in 64 bits.


class Measure(NamedTuple):
    """What is summed: a column, or 1 for each event, over the events that pass the filter.

    `delay` is set for label filters only: it decides when the label's event counts.
    """

    column: str | None = None
    filter: str | None = None
    delay: int = 0


EVENTS = Measure()


class Term(NamedTuple):
    """A measure or, for spreads, its square (modulo 2**64)."""

    measure: Measure
    squared: bool = False

    def of(self, values: Mapping[Measure, Ints]) -> Ints:
        found = values[self.measure]
        return found * found if self.squared else found


def measured(columns: Mapping[str, Ints], measure: Measure) -> Ints:
    """The measure of each row, int64 [rows]: its column (or 1) where the filter holds, else 0."""
    values = columns[measure.column] if measure.column else np.ones_like(columns["ts_ms"])
    if measure.filter is None:
        return values
    needed, test = FILTERS[measure.filter]
    return values * test(*(columns[name] for name in needed))


@dataclass(frozen=True)
class Queries:
    """n transactions to answer: `entity` codes, `ts` and, for include_current, `own` measures, int64 [n]."""

    entity: Ints
    ts: Ints
    own: Mapping[Measure, Ints]

    def part(self, rows: slice) -> Queries:
        return Queries(self.entity[rows], self.ts[rows], {m: v[rows] for m, v in self.own.items()})


class History:
    """n events (or tiles). `entity`: codes from 0, `ts`: ms, `measures`: int64 [n] each.

    Rows may come in any order. Without `EVENTS` among the measures every row counts as one event.
    """

    def __init__(self, entity: Ints, ts: Ints, measures: Mapping[Measure, Ints]) -> None:
        self._first = int(ts.min()) if ts.size else 0
        self._span = int(ts.max()) - self._first + 2 if ts.size else 1
        keys = self._key(entity, ts)
        order = None if (keys[1:] >= keys[:-1]).all() else np.argsort(keys, kind="stable")
        self._keys = keys if order is None else keys[order]
        self._measures = measures if order is None else {m: values[order] for m, values in measures.items()}

    def search(self, entity: Ints, ts: Ints) -> Ints:
        """For each of [..., n] times, how many sorted rows belong to earlier entities, or lie before it."""
        inside = np.minimum(np.maximum(ts - self._first, 0), self._span - 1)
        inside += entity * self._span
        return self._keys.searchsorted(inside)

    def prefixes(self, terms: Sequence[Term]) -> Ints:
        """Running sums, int64 [terms, n + 1]: a slice's sum is the difference of two."""
        sums = np.zeros((len(terms), self._keys.size + 1), dtype=np.int64)
        for row, term in zip(sums, terms, strict=True):
            if term.measure in self._measures:
                np.cumsum(term.of(self._measures), out=row[1:])
            else:
                row[:] = np.arange(row.size)
        return sums

    def last_ts(self, end: Ints) -> Ints:
        """Time of the row just before each position (any time where there is none)."""
        if not self._keys.size:
            return np.zeros_like(end)
        last: Ints = self._keys[np.maximum(end, 1) - 1] % self._span + self._first
        return last

    def exact_squares(self, measure: Measure, start: int, end: int) -> int:
        """Sum of squares of a slice in full."""
        high, low = np.divmod(self._measures[measure][start:end], 1 << _LOW_BITS)
        squares = int((high * high).sum()) << 2 * _LOW_BITS
        return squares + (int((high * low).sum()) << _LOW_BITS + 1) + int((low * low).sum())

    def _key(self, entity: Ints, ts: Ints) -> Ints:
        entities = int(entity.max()) + 1 if entity.size else 0
        if entities * self._span >= 2**63:
            raise OverflowError(
                f"{entities} entities over {self._span} ms are too many for one sort; split the rows"
            )
        return entity * self._span + (ts - self._first)
