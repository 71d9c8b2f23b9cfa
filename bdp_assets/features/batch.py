"""Features of whole tables, as corrected: every event counts by its event time, whenever it arrived."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.formulas import COLUMNS, LABEL_FILTER, checked
from bdp_assets.features.history import EVENTS, History, Measure, Queries, measured
from bdp_assets.features.kernel import Engine, Plan
from bdp_assets.features.labels import KEY, LabelChanges, label_changes
from bdp_assets.features.spec import Catalog, Entity

Bools = NDArray[np.bool_]


def build_features(
    transactions: pl.DataFrame,
    labels: pl.DataFrame | None = None,
    catalog: Catalog = CATALOG,
    *,
    only: pl.Series | None = None,
) -> pl.DataFrame:
    """The feature vector of each transaction, point-in-time correct.

    `transactions`: validated rows in order of arrival (String customer_id, transaction_id, merchant_id or
    null; Int64 ts_ms in UTC ms, amount_base_minor). `labels`: String customer_id, transaction_id, Boolean
    is_fraud, Int64 known_at_ms; None when nothing is known. `only`: Boolean mask of the rows to answer (all
    rows are history).

    Returns transaction_id, customer_id, ts_ms and one finite Float64 column a feature, in catalog order;
    one row for each row asked, in their order. Raises ValueError when a number is outside its column's
    range.
    """
    table = _Table(transactions, labels)
    rows = np.arange(len(transactions)) if only is None else np.flatnonzero(only.to_numpy())
    engine = Engine(catalog)
    matrix = engine.empty(len(rows))
    for entity, plan in engine.plans.items():
        _fill(matrix, plan, table, entity, rows)
    engine.finish(matrix, {name: values[rows] for name, values in table.columns.items()})
    keys = transactions.select("transaction_id", "customer_id", "ts_ms")
    answered = keys if only is None else keys.filter(only)
    return answered.with_columns(pl.Series(name, matrix[i]) for i, name in enumerate(catalog.names))


def _fill(matrix: Floats, plan: Plan, table: _Table, entity: Entity, rows: Ints) -> None:
    codes = table.codes(entity)
    # Everything in the history's own order, so that neighbouring searches touch neighbouring memory.
    order = np.lexsort((table.ts, codes))
    order = order[np.searchsorted(codes[order], 0) :]
    place = np.full(len(codes), -1)
    place[rows] = np.arange(len(rows))
    asked = order[place[order] >= 0]
    queries = Queries(codes[asked], table.ts[asked], {m: table.measure(m)[asked] for m in plan.own})
    place = place[asked]
    for part, slots, found in plan.run(table.history(codes, order, plan.measures), queries):
        for slot, values in zip(slots[:, 0], found, strict=True):
            matrix[slot][place[part]] = values  # One by one: several times faster than all at once.


class _Table:
    """The transactions as integer arrays, with what becomes an event of which entity when."""

    def __init__(self, transactions: pl.DataFrame, labels: pl.DataFrame | None) -> None:
        self._frame = transactions
        self.columns = {n: checked(n, transactions[n].cast(pl.Int64).to_numpy()) for n in COLUMNS}
        self.ts = self.columns["ts_ms"]
        self._is_first = _is_first(transactions)
        none = np.zeros(0, dtype=np.int64)
        self._changes = (
            LabelChanges(none, none, none) if labels is None else label_changes(transactions, labels)
        )

    def codes(self, entity: Entity) -> Ints:
        """A dense code from 0 for each row's entity, -1 where a key is missing."""
        codes, missing = _codes(self._frame[entity.keys[0]])
        for key in entity.keys[1:]:
            more, absent = _codes(self._frame[key])
            _, codes = np.unique(codes * (int(more.max(initial=0)) + 1) + more, return_inverse=True)
            missing |= absent
        codes[missing] = -1
        return codes

    def history(self, codes: Ints, order: Ints, measures: Iterable[Measure]) -> History:
        """Each entity's events and, for label measures, its label changes: rows that count as no event."""
        events = order[self._is_first[order]]
        delays = sorted({m.delay for m in measures if m.filter == LABEL_FILTER})
        if not delays:
            return History(codes[events], self.ts[events], {m: self.measure(m)[events] for m in measures})
        changes = self._changes.where(codes[self._changes.row] >= 0)
        entity = [codes[events], *(codes[changes.row] for _ in delays)]
        ts = [self.ts[events], *(changes.clock(self.ts, delay) for delay in delays)]
        columns = {m: self._blocks(m, events, changes, delays) for m in (EVENTS, *measures)}
        joined = {m: np.concatenate(blocks) for m, blocks in columns.items()}
        return History(np.concatenate(entity), np.concatenate(ts), joined)

    def _blocks(self, measure: Measure, events: Ints, changes: LabelChanges, delays: list[int]) -> list[Ints]:
        nothing = np.zeros_like(changes.row)
        if measure.filter != LABEL_FILTER:
            return [self.measure(measure)[events], *(nothing for _ in delays)]
        counted = self.measure(Measure(measure.column))[changes.row] * changes.sign
        return [np.zeros_like(events), *(counted if delay == measure.delay else nothing for delay in delays)]

    def measure(self, measure: Measure) -> Ints:
        """What each row adds to a measure that does not depend on labels."""
        return measured(self.columns, measure)


def _is_first(frame: pl.DataFrame) -> Bools:
    """Which rows are events: of several with the same customer and transaction_id the first."""
    if frame["transaction_id"].n_unique() == len(frame):
        return np.ones(len(frame), dtype=np.bool_)
    return frame.select(pl.struct(KEY).is_first_distinct()).to_series().to_numpy()


def _codes(keys: pl.Series) -> tuple[Ints, Bools]:
    text = keys.cast(pl.String)
    names = pl.Enum(text.drop_nulls().unique())
    codes = text.cast(names).to_physical().cast(pl.Int64).fill_null(0).to_numpy(writable=True)
    return codes, text.is_null().to_numpy()
