"""The arithmetic of windows: the one implementation that training, the stream and the API all run.

A window's events are one slice of a sorted history, found by two binary searches; its sums are differences
of running sums. Batch calls this on whole tables, the online store on the handful of events that Redis
returned: equal integers go in, so equal bits come out. Everything of an entity is found and summed in a few
array operations, however many features there are, because a single transaction pays for each operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.cells import Cells
from bdp_assets.features.formulas import FORMULAS, Array
from bdp_assets.features.history import History, NoRows, Places, Queries
from bdp_assets.features.spec import FOLD, Catalog, RowFeature, WindowFeature
from bdp_assets.features.windows import (
    alike,
    by_field,
    column_of,
    field_of,
    floored,
    group_of,
    index_of,
    own_fields,
    rows_of,
    sums_of,
    window_of,
)

_ROWS = 32_768  # Worked at a time, so that the intermediate arrays stay in the processor's cache.


class Plan:
    """How to compute window features of one entity: made once from the catalog, run on any history.

    Queries have to bring the `own` fields. Those of a history in the history's order are several times faster
    than others, since the searches stay in cache; distinct counts need that order.
    """

    def __init__(self, features: Sequence[WindowFeature], slots: Mapping[str, int]) -> None:
        bounds = sorted({bound for f in features for bound in window_of(f)}, key=lambda b: (b.hop > 0, b))
        sums = by_field([found for f in features for found in sums_of(f).values()], bounds)
        self.own = own_fields(features)
        self.label_delays = sorted({f.delay for f in features if field_of(f).of_labels})
        together = alike(features)
        ordered = [feature for members in together for feature in members]
        firsts = [sum(map(len, together[:i])) for i in range(len(together))]
        self._groups = [group_of(*one, bounds, sums) for one in zip(together, firsts, strict=True)]
        self.slots = np.array([slots[f.name] for f in ordered], dtype=np.int64)
        """Where each of the plan's features stands in the catalog, int64 [k]."""
        scale = column_of([f.scale for f in ordered]).astype(np.float64)
        self._scale = None if (scale == 1).all() else scale
        self._default = np.array([[f.default] for f in ordered], dtype=np.float64)
        self._fields = list(dict.fromkeys(found.field for found in sums))
        self._field = column_of([self._fields.index(found.field) for found in sums])
        self._start = rows_of(bounds, [found.start for found in sums])
        self._end = rows_of(bounds, [found.end for found in sums])
        with_own = [found for found in sums if found.with_own]
        self._own = [
            (index_of(sums, [found for found in with_own if found.field == field]), field)
            for field in dict.fromkeys(found.field for found in with_own)
        ]
        self._shift = column_of([bound.shift for bound in bounds])
        self._tiled = sum(bound.hop == 0 for bound in bounds)
        self._hop = column_of([bound.hop for bound in bounds[self._tiled :]])
        self._bounds = [(bound.shift, bound.hop) for bound in bounds]
        self._endless = np.flatnonzero([bound.is_endless for bound in bounds])
        self._exact = np.array([bound.exact for bound in bounds])
        self._folds = len(features[0].entity.keys) == 1

    @cached_property
    def without_events(self) -> Floats | None:
        """What every transaction gets where nothing happened, float64 [k, 1]; None where its own fields
        count."""
        if self.own:
            return None
        zero = np.zeros(1, dtype=np.int64)
        [(_, values)] = self.run(History(NoRows()), Queries(zero, zero, {}))
        return values

    def run(self, history: History, queries: Queries) -> Iterator[tuple[slice, Floats]]:
        """Yield (rows, values float64 [k, rows]) of all its features, until every row is there."""
        running = history.running_sums(self._fields)
        places = self._merged(history, queries) if queries.in_order else None
        for first in range(0, len(queries.ts), _ROWS):
            rows = slice(first, first + _ROWS)
            part = queries.part(rows)
            if places is None:
                found = history.search(part.entity, self._times(part.ts))
            else:
                found = np.stack([one[rows] for one in places]).astype(np.int64)
            self._bound(found, history, part)
            sums = self._summed(running, found, part)
            values = np.empty((len(self.slots), len(part.ts)), dtype=np.float64)
            for group in self._groups:
                values[group.columns] = group.aggregate.finish(Cells(group, history, part, found, sums))
            if self._scale is not None:
                values /= self._scale
            np.copyto(values, self._default, where=np.isnan(values))
            yield rows, values

    def _merged(self, history: History, queries: Queries) -> Places:
        """Where each bound of all rows lies: one pass a bound."""
        times = (floored(queries.ts - shift, hop) for shift, hop in self._bounds)
        return history.merge(queries.entity, times)

    def _bound(self, found: Ints, history: History, queries: Queries) -> None:
        """Set right where bounds lie (int64 [bounds, rows]) that are not about single exact events."""
        if queries.exact_from is not None:
            found[self._exact] = np.maximum(found[self._exact], queries.exact_from)
            if self._folds:
                times = self._times(queries.ts)
                self._fold(found, times, history, queries.entity, queries.exact_from)
        if self._endless.size:
            found[self._endless] = history.begin(queries.entity)

    def _fold(self, found: Ints, times: Ints, history: History, entity: Ints, exact_from: Ints) -> None:
        """Bounds among folded events: those of a tile lie before the bound when the tile begins before it."""
        early = (found < exact_from) & ~self._exact[:, None]
        if early.any():
            entity, exact_from = (
                np.broadcast_to(values, found.shape)[early] for values in (entity, exact_from)
            )
            ceiled = -(-times[early] // FOLD) * FOLD
            found[early] = np.minimum(history.search(entity, ceiled), exact_from)

    def _times(self, ts: Ints) -> Ints:
        times = ts - self._shift
        if self._hop.size:
            tiled = times[self._tiled :]
            tiled -= tiled % self._hop
        return times

    def _summed(self, running: Ints, found: Ints, queries: Queries) -> Ints:
        """Every sum of every row, int64 [sums, rows]."""
        flat, offset = running.reshape(-1), self._field * running.shape[1]
        sums: Ints = flat[found[self._end] + offset]
        sums -= flat[found[self._start] + offset]
        for rows, field in self._own:
            sums[rows] += queries.own[field]
        return sums


class Engine:
    """A catalog ready to run: a plan for each entity, and the row features after them."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._slots = {name: slot for slot, name in enumerate(catalog.names)}
        self.plans = {entity: self.plan(features) for entity, features in catalog.entities.items()}
        formulas = [f for f in catalog.features if isinstance(f, RowFeature)]
        self._own = [self._formula(f) for f in formulas if self._slots.keys().isdisjoint(f.inputs)]
        self._derived = [self._formula(f) for f in formulas if not self._slots.keys().isdisjoint(f.inputs)]
        self._defaults = np.array([[feature.default] for feature in catalog.features], dtype=np.float64)

    def plan(self, features: Sequence[WindowFeature]) -> Plan:
        """For some of the catalog's features, all of one entity."""
        return Plan(features, self._slots)

    def empty(self, rows: int) -> Floats:
        """A matrix [features, rows] in which every feature has its default."""
        matrix = np.empty((len(self._defaults), rows), dtype=np.float64)
        matrix[:] = self._defaults
        return matrix

    def begin(self, matrix: Floats, columns: Mapping[str, Ints]) -> None:
        """Fill in the row features of a matrix [features, rows] that read the transaction alone."""
        for slot, compute, names, default in self._own:
            matrix[slot] = compute(*(columns[name] for name in names), default)

    def finish(self, matrix: Floats, columns: Mapping[str, Ints]) -> None:
        """Fill in the other row features, once all else is there."""
        for slot, compute, names, default in self._derived:
            inputs = [columns[name] if name in columns else matrix[self._slots[name]] for name in names]
            matrix[slot] = compute(*inputs, default)

    def _formula(self, f: RowFeature) -> tuple[int, Callable[..., Array], tuple[str, ...], float]:
        return self._slots[f.name], FORMULAS[f.formula].compute, f.inputs, f.default
