"""The arithmetic of windows: the one implementation that training, the stream and the API all run.

A window's events are one slice of a sorted history, found by two binary searches; its sums are differences
of running sums. Batch calls this on whole tables, the online store on the handful of events that Redis
returned: equal integers go in, so equal bits come out. Everything of an entity is found and summed in a few
array operations, however many features there are, because a single transaction pays for each operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.formulas import FORMULAS
from bdp_assets.features.history import EVENTS, History, Queries
from bdp_assets.features.spec import Catalog, RowFeature, WindowFeature
from bdp_assets.features.windows import (
    Group,
    alike,
    column_of,
    group_of,
    measures_in,
    rows_of,
    sums_of,
    window_of,
)

_ROWS = 16_384  # Worked at a time, so that the intermediate arrays stay in the processor's cache.


class Cells:
    """One group's windows for some rows, [windows, rows]: what `aggregates.Window` says."""

    def __init__(self, group: Group, history: History, queries: Queries, found: Ints, sums: Ints) -> None:
        self._group = group
        self._history = history
        self._queries = queries
        self._found = found
        self._sums = sums

    def events(self) -> Ints:
        return self._sums[self._group.sums["events"]]

    def matching(self) -> Ints:
        return self._sums[self._group.sums["matching"]]

    def total(self) -> Ints:
        return self._sums[self._group.sums["total"]]

    def squares(self) -> Ints:
        return self._sums[self._group.sums["squares"]]

    def exact_squares(self, window: int, row: int) -> int:
        start, end = (int(self._found[bound[window], row]) for bound in (self._group.start, self._group.end))
        total = self._history.exact_squares(self._group.measure, start, end)
        return total + (int(self._queries.own[self._group.measure][row]) ** 2 if self._group.with_own else 0)

    def age_ms(self) -> Ints:
        return self._queries.ts - self._history.last_ts(self._found[self._group.end])


class Plan:
    """How to compute one entity's window features: made once from the catalog, run on any history.

    A history has to bring `measures`, and queries `own`; both without EVENTS, which a history may bring.
    """

    def __init__(self, features: Sequence[WindowFeature], slots: Mapping[str, int]) -> None:
        bounds = sorted({bound for f in features for bound in window_of(f)})
        sums = list(dict.fromkeys(found for f in features for found in sums_of(f).values()))
        terms = list(dict.fromkeys(found.term for found in sums))
        self.measures = measures_in(terms)
        self.own = measures_in([found.term for found in sums if found.with_own])
        self._groups = [group_of(members, slots, bounds, sums) for members in alike(features)]
        self._terms = terms
        self._term = column_of([terms.index(found.term) for found in sums])
        self._start = rows_of(bounds, [found.start for found in sums])
        self._end = rows_of(bounds, [found.end for found in sums])
        self._own = [(row, found.term) for row, found in enumerate(sums) if found.with_own]
        self._shift = column_of([bound.shift for bound in bounds])
        self._tiled = sum(bound.hop == 0 for bound in bounds)
        self._hop = column_of([bound.hop for bound in bounds[self._tiled :]])

    def run(self, history: History, queries: Queries) -> Iterator[tuple[slice, Ints, Floats | Ints]]:
        """Yield (rows, slots in the catalog [k, 1], values [k, rows]) until every feature is there.

        Queries in the order of the history are several times faster than others: the searches stay in cache.
        """
        prefixes = history.prefixes(self._terms)
        for first in range(0, len(queries.ts), _ROWS):
            rows = slice(first, first + _ROWS)
            part = queries.part(rows)
            found = history.search(part.entity, self._times(part.ts))
            sums = self._summed(prefixes, found, part)
            for group in self._groups:
                yield rows, group.slots, _finished(group, Cells(group, history, part, found, sums))

    def _times(self, ts: Ints) -> Ints:
        times = ts - self._shift
        if self._hop.size:
            tiled = times[self._tiled :]
            tiled -= tiled % self._hop
        return times

    def _summed(self, prefixes: Ints, found: Ints, queries: Queries) -> Ints:
        """Every sum of every row, int64 [sums, rows]."""
        flat, offset = prefixes.reshape(-1), self._term * prefixes.shape[1]
        sums: Ints = flat[found[self._end] + offset]
        sums -= flat[found[self._start] + offset]
        for row, term in self._own:
            sums[row] += 1 if term.measure == EVENTS else term.of(queries.own)
        return sums


class Engine:
    """A catalog ready to run: a plan for each entity, and the row features after them."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._slots = {name: slot for slot, name in enumerate(catalog.names)}
        self.plans = {entity: Plan(features, self._slots) for entity, features in catalog.entities.items()}
        self._formulas = [feature for feature in catalog.features if isinstance(feature, RowFeature)]
        self._defaults = np.array([[feature.default] for feature in catalog.features], dtype=np.float64)

    def empty(self, rows: int) -> Floats:
        """A matrix [features, rows] in which every feature has its default."""
        return np.repeat(self._defaults, rows, axis=1)

    def finish(self, matrix: Floats, columns: Mapping[str, Ints]) -> None:
        """Fill in the row features of a matrix [features, rows] whose window features are there."""
        for feature in self._formulas:
            inputs = [columns[n] if n in columns else matrix[self._slots[n]] for n in feature.inputs]
            matrix[self._slots[feature.name]] = FORMULAS[feature.formula].compute(*inputs, feature.default)


def _finished(group: Group, cells: Cells) -> Floats | Ints:
    values = group.aggregate.finish(cells)
    if group.scale is not None:
        values = values / group.scale
    return values if values.dtype == np.int64 else np.where(np.isnan(values), group.default, values)
