"""The arithmetic of windows: the one implementation that training, the stream and the API all run.

A window's events are one slice of a sorted history, found by two searches; its sums are differences of
running sums. Batch calls this on whole tables, the online store on the handful of events that Redis returned:
equal integers go in, so equal bits come out. The loops are compiled (see `compiled`), since a single
transaction would pay for each of a hundred array operations; here stands what they loop over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bdp_assets.features import compiled
from bdp_assets.features.aggregates import AGGREGATES, Floats, Ints, SumName
from bdp_assets.features.compiled import codes
from bdp_assets.features.fields import Field
from bdp_assets.features.formulas import COLUMNS, FORMULAS
from bdp_assets.features.history import History, Queries
from bdp_assets.features.spec import FOLD, Catalog, RowFeature, WindowFeature
from bdp_assets.features.windows import (
    Bound,
    Look,
    Sum,
    field_of,
    look_of,
    own_fields,
    run_of,
    sums_of,
    window_of,
)

_SUMS: Mapping[SumName, int] = {
    "matching": codes.MATCHING,
    "total": codes.TOTAL,
    "squares_high": codes.HIGH,
    "squares_low": codes.LOW,
    "events": codes.EVENTS,
}
_NONE = np.zeros(0, dtype=np.int64)


class Plan:
    """How to compute window features of one entity: made once from the catalog, run on any history.

    Queries have to bring the `own` fields.
    """

    def __init__(
        self, features: Sequence[WindowFeature], slots: Mapping[str, int], own: Sequence[Field]
    ) -> None:
        sums = list(dict.fromkeys(found for f in features for found in sums_of(f).values()))
        # Side by side, so that the search for the next one begins near the one before.
        bounds = sorted({bound for f in features for bound in window_of(f)}, key=lambda b: (b.hop, b.shift))
        self.own = own_fields(features)
        self.own_at = np.array([own.index(field) for field in self.own], dtype=np.int64)
        """Where each of them stands among `Engine.own`."""
        self.label_delays = sorted({f.delay for f in features if field_of(f).of_labels})
        self.slots = np.array([slots[f.name] for f in features], dtype=np.int64)
        """Where each of the plan's features stands in the catalog, int64 [k]."""
        looks = {(_code(f), look): f for f in features if (look := look_of(f)) is not None}
        runs = {(codes.RUN, run): f for f in features if (run := run_of(f)) is not None}
        self.looks = [look for _, look in (*looks, *runs)]
        self.codes = np.array([code for code, _ in (*looks, *runs)], dtype=np.int64)
        self.picked = list(dict.fromkeys(look.field for look in self.looks if look.kind == "last"))
        self.fields = list(dict.fromkeys(found.field for found in sums))
        bounds_ = _table([(b.shift, b.hop, b.exact, b.is_endless) for b in bounds], 4)
        sums_ = _table([self._sum(found, bounds) for found in sums], 4)
        lines = _table([self._line(f, bounds, sums) for f in features], codes.LINE)
        fold = FOLD if len(features[0].entity.keys) == 1 else 0
        scale = np.array([f.scale for f in features], dtype=np.float64)
        default = np.array([f.default for f in features], dtype=np.float64)
        self.tables = (bounds_, sums_, lines, fold, scale, default)
        """As `compiled.answer` takes them."""

    def run(self, history: History, queries: Queries, rows: Ints, matrix: Floats) -> None:
        """Write all its features into `matrix`, float64 [features, n], at the `rows` of the queries."""
        running = history.running_sums(self.fields)
        looks, levels = history.looks(self.looks, self.codes)
        picked = history.picked(self.picked)
        compiled.answer(
            *(history.keys, running, looks, levels, picked, history.shift, history.span),
            *(queries.entity, queries.ts, queries.own),
            _NONE if queries.exact_from is None else queries.exact_from,
            *(*self.tables, self.slots, rows, matrix),
        )

    def _sum(self, found: Sum, bounds: Sequence[Bound]) -> tuple[int, ...]:
        """Its field, from which bound, to which bound, and its own field (-1: without)."""
        own = self.own.index(found.field) if found.with_own else -1
        return self.fields.index(found.field), bounds.index(found.start), bounds.index(found.end), own

    def _line(self, f: WindowFeature, bounds: Sequence[Bound], sums: Sequence[Sum]) -> tuple[int, ...]:
        """A feature as `compiled.answers` reads it."""
        start, end = window_of(f)
        line = {
            codes.CODE: _code(f),
            codes.START: bounds.index(start),
            codes.END: bounds.index(end),
            codes.HOP: f.hop or 0,
            **{_SUMS[name]: sums.index(found) for name, found in sums_of(f).items()},
        }
        if (look := look_of(f)) is not None:
            line[codes.LOOK] = self._look(line[codes.CODE], look)
            line[codes.NOTHING] = look.none
            line[codes.OWN_LOOK] = self.own.index(look.field) if f.include_current else -1
            line[codes.PICK] = self.picked.index(look.field) if look.kind == "last" else -1
        if (run := run_of(f)) is not None:
            line[codes.RUN_LOOK] = self._look(codes.RUN, run)
        return tuple(line.get(column, -1) for column in range(codes.LINE))

    def _look(self, code: int, look: Look) -> int:
        return list(zip(self.codes.tolist(), self.looks, strict=True)).index((code, look))


def _code(feature: WindowFeature) -> int:
    return AGGREGATES[feature.aggregate].code


def _table(rows: Sequence[tuple[int, ...]], width: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(-1, width)


class Engine:
    """A catalog ready to run: a plan for each entity, and the row features after them."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._slots = {name: slot for slot, name in enumerate(catalog.names)}
        self.own = own_fields(catalog.windows)
        """The fields of a transaction itself that its windows read."""
        self.plans = {entity: self.plan(features) for entity, features in catalog.entities.items()}
        rows = [f for f in catalog.features if isinstance(f, RowFeature)]
        self.formulas = _table([self._formula(f) for f in rows], codes.FORMULA_INPUT + codes.INPUTS)
        """Row features, as `compiled.compute` takes them."""
        self.defaults = np.array([feature.default for feature in catalog.features], dtype=np.float64)

    def plan(self, features: Sequence[WindowFeature]) -> Plan:
        """For some of the catalog's features, all of one entity."""
        return Plan(features, self._slots, self.own)

    def empty(self, rows: int) -> Floats:
        """A matrix [features, rows] in which every feature has its default."""
        matrix = np.empty((len(self.defaults), rows), dtype=np.float64)
        matrix[:] = self.defaults[:, np.newaxis]
        return matrix

    def finish(self, matrix: Floats, columns: Mapping[str, Ints]) -> None:
        """Fill in the row features of a matrix [features, rows] that has all windows; `columns`: the numbers
        of the transactions, int64 [rows] by name."""
        numbers = np.stack([columns[name] for name in COLUMNS])
        compiled.compute(self.formulas, self.defaults, numbers, matrix)

    def _formula(self, feature: RowFeature) -> tuple[int, ...]:
        """A feature as `compiled.formulas` reads it: columns count down from -1."""
        inputs = [
            self._slots[name] if name in self._slots else -1 - COLUMNS.index(name) for name in feature.inputs
        ]
        unused = [inputs[0]] * (codes.INPUTS - len(inputs))
        return FORMULAS[feature.formula].code, self._slots[feature.name], *inputs, *unused
