"""Windows of packed rows are those of a history of the same rows, told what each transaction sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.compiled.codes import BEFORE
from bdp_assets.features.fields import Field, event_field
from bdp_assets.features.formulas import FILTERS
from bdp_assets.features.history import History, Queries
from bdp_assets.features.kernel import Engine
from bdp_assets.features.layout import Layout
from bdp_assets.features.packed import NOTHING, Packed
from bdp_assets.features.records import Batch, pack
from bdp_assets.features.served import Answering, Draft, Seen
from bdp_assets.features.spec import CUSTOMER, FOLD, Catalog
from bdp_assets.features.times import DAY, HOUR
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.features.bounds import bounded
from bdp_assets_tests.unit.features.strategies import catalogs, streams


class SeenRows:
    """What one transaction sees of its customer; ids of events that are not exact do not count."""

    are_events = True

    def __init__(self, columns: Mapping[str, Ints], ts: Ints, exact: Any) -> None:
        self._columns, self._exact = columns, exact
        self.entity, self.ts = np.zeros(len(ts), dtype=np.int64), ts

    def field(self, field: Field) -> Ints:
        values = event_field(field, self._columns)
        return np.where(self._exact, values, field.absent) if field.kind == "id" else values


@settings(max_examples=cases(300), deadline=None)
@given(catalogs(online=True), streams(most=14, customers=("c0",)), st.sampled_from((0, 1, 3, 2_000)))
def test_owned_windows(catalog: Catalog, stream: list[ValidatedTransaction], exact_events: int) -> None:
    layout, engine = Layout(catalog, ""), Engine(catalog)
    batch = Batch.of(stream, catalog.ids)
    answering = Answering(engine, layout)
    with bounded(exact_events):
        found = answering.vectors(answering.draft(batch), seen_by(layout, batch))
    again = answering.draft(batch)
    for row in range(len(stream)):
        answer_naively(engine, layout, again, row, exact_events)
    engine.finish(again.matrix, batch.columns)
    assert found.tobytes() == np.ascontiguousarray(again.matrix.T).tobytes()


def seen_by(layout: Layout, batch: Batch) -> Seen:
    """Each transaction has all of the customer's before it."""
    n, ts = len(batch), batch.columns["ts_ms"]
    newest = newest_before(ts)
    moments = np.stack([np.arange(1, n + 1), ts, newest], axis=1)
    packed = pack(moments, None, batch.kept(layout.ids))
    width = len(packed) // n if n else 0
    records = [packed[: width * row] for row in range(n)]
    return Seen(records, [b""] * n, {}, np.arange(1, n + 1), newest, {})


def newest_before(ts: Ints) -> Ints:
    return np.array([max(ts[:row], default=ts[row]) for row in range(len(ts))], dtype=np.int64)


def answer_naively(engine: Engine, layout: Layout, draft: Draft, row: int, exact_events: int) -> None:
    columns, own, matrix = draft.batch.columns, draft.own, draft.matrix
    before = {name: values[:row] for name, values in columns.items()}
    exact = np.arange(row) >= row - exact_events
    ts = np.where(exact, before["ts_ms"], before["ts_ms"] // FOLD * FOLD)
    stands = ts > newest_before(columns["ts_ms"])[row] - layout.events_ms
    for entity, plan in engine.plans.items():
        if entity.state != "events":
            continue
        sees, when = stands | layout.is_endless, np.where(stands, ts, BEFORE)
        if entity != CUSTOMER:
            key = columns[entity.keys[1]]
            if key[row] < 0:
                continue
            sees = sees & (key[:row] == key[row]) & (exact | (entity in layout.pairs))
            when = np.where(exact, when, BEFORE)
        rows = SeenRows({name: values[sees] for name, values in before.items()}, when[sees], exact[sees])
        mine = np.ascontiguousarray(own[plan.own_at, row : row + 1])
        zero = np.zeros(1, dtype=np.int64)
        queries = Queries(zero, columns["ts_ms"][row : row + 1], mine)
        plan.run(History(rows), queries, np.array([row]), matrix)


def test_what_is_empty_has_no_rows() -> None:
    assert Packed.of([b"", b""]) is NOTHING
    numbers, sizes = Packed.of([b"", bytes(16)])
    assert (numbers.tolist(), sizes.tolist()) == ([0, 0], [0, 16])


@pytest.mark.parametrize("rows", [1, 3, 4, 30])
def test_few_rows_and_many_have_the_same_bits(rows: int) -> None:
    from bdp_assets.features.catalog import CATALOG

    engine, generator = Engine(CATALOG), np.random.default_rng(rows)
    columns = {
        "ts_ms": generator.integers(0, 2**41, rows),
        "amount_base_minor": generator.integers(0, 100_000, rows),
    }
    together: Floats = generator.integers(0, 3, (len(CATALOG.names), rows)).astype(np.float64)
    alone = [np.ascontiguousarray(together[:, row : row + 1]) for row in range(rows)]
    for fill in (engine.begin, engine.finish):
        fill(together, columns)
        for row, matrix in enumerate(alone):
            fill(matrix, {name: values[row : row + 1] for name, values in columns.items()})
    assert np.concatenate(alone, axis=1).tobytes() == together.tobytes()


@given(st.integers(0, 2**41))
def test_filters(value: int) -> None:
    night, weekend, high = (FILTERS[name].test(value) for name in ("night", "weekend", "high_value"))
    assert night == (value // HOUR % 24 < 6)
    assert weekend == ((value // DAY + 3) % 7 >= 5)
    assert high == (value >= 50_000)
