"""One call for all plans gives what each plan gives by itself from all rows, and row features after them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.compiled import codes
from bdp_assets.features.fields import event_field
from bdp_assets.features.kernel import Engine
from bdp_assets.features.layout import Layout
from bdp_assets.features.packed import NO_PAST, Asked, Packed, PackedPlan, Past
from bdp_assets.features.program import summary_of
from bdp_assets.features.records import Batch, pack
from bdp_assets.features.served import Answering, Seen, Shared
from bdp_assets.features.spec import CUSTOMER, Catalog
from bdp_assets.features.summaries import Summary
from bdp_assets.features.times import HOUR
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.features.strategies import START, catalogs, streams

MOST = 7
"""How many rows a string has at most."""
HOURS = [-hours - days * 24 for days in (0, 1, 2, 7, 8, 9, 14, 30, 37) for hours in (0, 1, 6)]
"""When they are, before the first transaction or the newest one: at the edges of windows."""


@settings(max_examples=cases(300), deadline=None)
@given(catalogs(online=True), streams(most=6), st.integers(0, 2**32))
def test_one_call_is_all_plans(catalog: Catalog, stream: list[ValidatedTransaction], seed: int) -> None:
    layout, engine, batch = Layout(catalog, ""), Engine(catalog), Batch.of(stream, catalog.ids)
    seen = anything(layout, batch, np.random.default_rng(seed))
    found = Answering(engine, layout).vectors(batch, seen)
    expected = one_by_one(engine, layout, batch, seen)
    assert found.tobytes() == np.ascontiguousarray(expected.T).tobytes()


def anything(layout: Layout, batch: Batch, some: np.random.Generator) -> Seen:
    """Rows of small numbers, of as many different shared ids as there are transactions, some without one."""
    n = len(batch)
    shared = {
        entity: Shared(
            {one.name: [summaries(one.summary, some) for _ in range(n)] for one in series},
            some.integers(-1, n, n).tolist() if n else [],
        )
        for entity, series in layout.shared.items()
    }
    return Seen(
        records=[records(layout, some) for _ in range(n)],
        folded=[summaries(layout.customer, some) for _ in range(n)],
        pairs={entity: [summaries(one, some) for _ in range(n)] for entity, one in layout.pairs.items()},
        sequence=some.integers(1, MOST + 2, n).tolist(),
        newest=(START + some.integers(0, 9, n) * HOUR).tolist(),
        shared=shared,
    )


def records(layout: Layout, some: np.random.Generator) -> bytes:
    rows = int(some.integers(0, MOST + 1))
    times = START + some.choice(HOURS, rows) * HOUR
    moments = np.stack([np.arange(1, rows + 1), times, times], axis=1)
    return pack(moments, None, some.integers(0, 3, (rows, 1 + len(layout.ids))))


def summaries(summary: Summary, some: np.random.Generator) -> bytes:
    table = some.integers(0, 3, (int(some.integers(0, MOST + 1)), summary.width))
    table[:, 0] = START + np.sort(some.choice(HOURS, len(table), replace=False)) * HOUR
    return table.astype("<i8").tobytes()


def one_by_one(engine: Engine, layout: Layout, batch: Batch, seen: Seen) -> Floats:
    columns, n = batch.columns, len(batch)
    ts, itself, matrix = columns["ts_ms"], np.arange(n), engine.empty(n)
    own = np.array([event_field(field, columns) for field in engine.own], dtype=np.int64).reshape(
        len(engine.own), n
    )
    past = Past(Packed.of(seen.records), ints(seen.sequence), ints(seen.newest))
    for entity, plan in engine.plans.items():
        if entity.state == "events":
            packed = of_all_rows(PackedPlan(plan, entity, summary_of(layout, entity), layout))
            kept = seen.folded if entity == CUSTOMER else seen.pairs.get(entity, ())
            pair = itself if entity == CUSTOMER else columns[entity.keys[1]]
            packed.run(Packed.of(kept), past, Asked(itself, ts, pair, own), matrix)
    for entity, shared in seen.shared.items():
        code = ints(shared.code)
        for one in layout.shared[entity]:
            packed = of_all_rows(PackedPlan(engine.plan(one.features), entity, one.summary, layout))
            packed.run(Packed.of(shared.tiles[one.name]), NO_PAST, Asked(code, ts, code, own), matrix)
    engine.finish(matrix, columns)
    return matrix


def of_all_rows(packed: PackedPlan) -> PackedPlan:
    """One that reads rows, too, which none of its windows reaches."""
    rules, looks = table(packed, codes.PLAN_RULES), table(packed, codes.LOOKINGS)
    rules[0, [codes.REACH, codes.NEAREST]] = codes.EVERYTHING, -codes.EVERYTHING
    for look in looks:
        look[codes.LOOK_REACH] = codes.EVERYTHING
    return packed


def table(packed: PackedPlan, which: int) -> Ints:
    start, rows, width = packed.numbers[3 * which : 3 * which + 3]
    return packed.numbers[start : start + rows * width].reshape(rows, width)


def ints(values: object) -> Ints:
    return np.array(values, dtype=np.int64)
