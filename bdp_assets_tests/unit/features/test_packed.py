"""Windows of packed rows are those of a history of the same rows, told what each transaction sees."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
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
from bdp_assets.features.served import Answering, Seen
from bdp_assets.features.spec import CUSTOMER, EXACT_EVENTS, FOLD, Catalog, WindowFeature
from bdp_assets.features.times import DAY, HOUR, span
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
    hold_to_a_history(catalog, stream, exact_events)


@settings(max_examples=cases(300), deadline=None)
@given(st.sets(st.sampled_from((HOUR, DAY, 7 * DAY)), min_size=1), streams(most=14, customers=("c0",)))
def test_ids_that_a_window_reaches(windows: set[int], stream: list[ValidatedTransaction]) -> None:
    different = partial(
        WindowFeature,
        entity=CUSTOMER,
        aggregate="distinct",
        column="merchant_id",
        unit="merchants",
        description="How many",
    )
    features = tuple(different(name=f"merchants_{span(window)}", window=window) for window in sorted(windows))
    hold_to_a_history(Catalog(features), stream, EXACT_EVENTS)


def hold_to_a_history(catalog: Catalog, stream: list[ValidatedTransaction], exact_events: int) -> None:
    layout, engine = Layout(catalog, ""), Engine(catalog)
    batch = Batch.of(stream, catalog.ids)
    with bounded(exact_events):
        found = Answering(engine, layout).vectors(batch, seen_by(layout, batch))
    matrix = engine.empty(len(batch))
    for row in range(len(stream)):
        answer_naively(engine, layout, batch, matrix, row, exact_events)
    engine.finish(matrix, batch.columns)
    assert found.tobytes() == np.ascontiguousarray(matrix.T).tobytes()


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


def answer_naively(  # noqa: PLR0917 - a store, and what is asked of it
    engine: Engine, layout: Layout, batch: Batch, matrix: Floats, row: int, exact_events: int
) -> None:
    columns = batch.columns
    own = np.array([event_field(field, columns) for field in engine.own], dtype=np.int64).reshape(
        -1, len(batch)
    )
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


@given(st.integers(0, 2**41))
def test_filters(value: int) -> None:
    night, weekend, high = (FILTERS[name].test(value) for name in ("night", "weekend", "high_value"))
    assert night == (value // HOUR % 24 < 6)
    assert weekend == ((value // DAY + 3) % 7 >= 5)
    assert high == (value >= 50_000)
