"""The online store on a real server equals the as-served oracle, and batch on input that is in order."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import structs

from bdp_assets.clients.redis import Redis
from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.spec import DAY
from bdp_assets_tests.integration.features.twins import Delivery, Twins
from bdp_assets_tests.unit.features.frames import batch_vectors, label_frame, transaction_frame
from bdp_assets_tests.unit.features.strategies import START, amounts, catalogs, steps, streams, transaction

pytestmark = pytest.mark.services

our_catalog_or_any = st.one_of(st.just(CATALOG), catalogs(online=True))
label_delays = st.sampled_from((0, 7 * DAY, 9 * DAY, 97 * DAY, 98 * DAY))


@st.composite
def deliveries(draw: st.DrawFn) -> list[Delivery]:
    """What reaches the store: each by API, stream or both; some again, some under an offset of their own."""
    out: list[Delivery] = []
    for offset, one in enumerate(draw(streams(most=14))):
        here = f"topic:{offset % 2}:{offset}"
        ways = (
            (here,),
            (here,),
            (here,),
            (None, here),
            (None,),
            (None, None, here),
            (here, here),
            (here, None),
        )
        out += [(one, way) for way in draw(st.sampled_from(ways))]
        if draw(st.integers(0, 3)) == 0:
            earlier, place = draw(st.sampled_from(out))
            out.append((earlier, draw(st.sampled_from((place, f"topic:{offset % 2}:{offset}0")))))
    return out


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_online_equals_the_oracle_whatever_is_delivered(store_client: Redis, data: st.DataObject) -> None:
    twins = Twins(store_client, data.draw(our_catalog_or_any))
    waiting = data.draw(deliveries())
    while waiting:
        size = data.draw(st.integers(1, 8))
        batch, waiting = waiting[:size], waiting[size:]
        twins.deliver(batch)
        if data.draw(st.integers(0, 4)) == 0:
            twins.deliver(batch)  # Killed before its offsets were committed, and resumed.
        if twins.oracle.applied and data.draw(st.booleans()):
            of = data.draw(st.sampled_from(twins.oracle.applied))
            twins.label(of, data.draw(st.booleans()), data.draw(label_delays))


@st.composite
def in_order(draw: st.DrawFn) -> tuple[list[ValidatedTransaction], list[Label]]:
    """Transactions in order of time, and labels by when they became known."""
    now, transactions, labels = START, [], []
    for i, step in enumerate(draw(st.lists(steps, max_size=14))):
        now += step
        customer, merchant = draw(st.sampled_from(("c0", "c1"))), draw(st.sampled_from(("m0", "m1", None)))
        one = transaction(i, now, draw(amounts), customer=customer, merchant=merchant, body=i)
        transactions.append(one)
        for is_fraud in draw(st.sampled_from(((), (), (True,), (True, False)))):
            labels.append(label(one, is_fraud, now + draw(label_delays)))
    return transactions, sorted(labels, key=lambda one: one.known_at_ms)


def label(of: ValidatedTransaction, is_fraud: bool, known_at: int) -> Label:
    return Label(
        transaction_id=of.transaction_id,
        customer_id=of.customer_id,
        is_fraud=is_fraud,
        known_at_ms=known_at,
        merchant_id=of.merchant_id,
        ts_ms=of.ts_ms,
    )


@settings(max_examples=100, deadline=None)
@given(catalog=our_catalog_or_any, stream=in_order())
def test_online_equals_batch_on_input_in_order(store_client: Redis, catalog, stream) -> None:  # type: ignore[no-untyped-def]
    transactions, labels = stream
    store_client.flushdb()
    store, served, known = OnlineStore(store_client, catalog), [], list(labels)
    for offset, one in enumerate(transactions):
        while known and known[0].known_at_ms <= one.ts_ms:
            store.apply_labels([known.pop(0)])
        place = f"topic:0:{offset}"
        served.append(store.enrich([one], [place])[0].features.tobytes())
        store.apply_merchants([one], [place])
    assert served == batch_vectors(transactions, labels, catalog)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_rebuilt_store_goes_on_like_the_one_it_replaces(store_client: Redis, data: st.DataObject) -> None:
    twins = Twins(store_client, data.draw(our_catalog_or_any))
    layout = twins.store.layout
    before = [(one, f"topic:{i % 2}:{i}") for i, one in enumerate(data.draw(streams(most=10)))]
    assume(_within(layout.events_ms, [one.ts_ms for one, _ in before]))
    for delivery in before:
        twins.deliver([delivery])
    labels = _label_some(twins, data)
    assume(_within(layout.tiles_ms - layout.tile_ms, twins.oracle.clocks()))
    arrived = transaction_frame([one for one, _ in before]).with_columns(
        coordinates=pl.Series([place for _, place in before], dtype=pl.String)
    )
    assert not twins.store.ready()
    twins.store.rebuild(arrived, label_frame(labels))
    assert twins.store.ready()
    later = [
        structs.replace(one, transaction_id=f"later-{i}") for i, one in enumerate(data.draw(streams(most=6)))
    ]
    twins.deliver(before)
    _label_some(twins, data)
    twins.deliver([(one, f"topic:{i % 2}:{100 + i}") for i, one in enumerate(later)])


def _label_some(twins: Twins, data: st.DataObject) -> list[Label]:
    delays = data.draw(st.lists(label_delays, max_size=3 if twins.oracle.applied else 0))
    chosen = [data.draw(st.sampled_from(twins.oracle.applied)) for _ in delays]
    return [
        twins.label(one, data.draw(st.booleans()), delay) for one, delay in zip(chosen, delays, strict=True)
    ]


def _within(retention: int, times: list[int]) -> bool:
    """Whether nobody was quiet for so long that a rebuild leaves something of them out."""
    return not times or max(times) - min(times) < retention
