"""The online store on a real server equals the as-served oracle, and batch on input that is in order.

Each property is tried on three servers (see conftest), so many times on each.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bdp_assets.clients.redis import Redis
from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.spec import EXACT_EVENTS, MERCHANT, Catalog, WindowFeature
from bdp_assets.features.times import DAY
from bdp_assets_tests.effort import cases
from bdp_assets_tests.integration.features.twins import Delivery, Twins
from bdp_assets_tests.unit.features.bounds import bounded
from bdp_assets_tests.unit.features.frames import batch_vectors, label_frame, transaction_frame
from bdp_assets_tests.unit.features.strategies import START, amounts, catalogs, steps, streams, transaction

pytestmark = pytest.mark.services

Stream = tuple[list[ValidatedTransaction], list[Label]]

our_catalog_or_any = st.one_of(st.just(CATALOG), catalogs(online=True))
label_delays = st.sampled_from((0, 7 * DAY, 9 * DAY, 97 * DAY, 98 * DAY))


@st.composite
def deliveries(draw: st.DrawFn) -> list[Delivery]:
    """What reaches the store: each by API, stream or both; some again, some under an offset of their own.

    What a partition brings for the first time comes in the order of its offsets, as Kafka's does.
    """
    out: list[Delivery] = []
    for offset, one in enumerate(draw(streams(most=14))):
        here = f"topic:{offset % 2}:{offset}0"
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
            out.append((earlier, draw(st.sampled_from((place, f"topic:{offset % 2}:{offset}5")))))
    return out


@settings(max_examples=cases(250), deadline=None)
@given(data=st.data())
def test_online_equals_the_oracle_whatever_is_delivered(store_client: Redis, data: st.DataObject) -> None:
    deliver_all(Twins(store_client, data.draw(our_catalog_or_any)), data)


@settings(max_examples=cases(250), deadline=None)
@given(data=st.data(), exact_events=st.integers(0, 4))
def test_folded_online_equals_the_oracle(store_client: Redis, data: st.DataObject, exact_events: int) -> None:
    with bounded(exact_events, spare=data.draw(st.sampled_from((9, 40))), keep=8, block=1):
        deliver_all(Twins(store_client, data.draw(our_catalog_or_any), exact_events), data)


def deliver_all(twins: Twins, data: st.DataObject) -> None:
    waiting = data.draw(deliveries())
    while waiting:
        size = data.draw(st.integers(1, 8))
        batch, waiting = waiting[:size], waiting[size:]
        twins.deliver(batch)
        if data.draw(st.integers(0, 4)) == 0:
            twins.deliver(batch)  # Killed before its offsets were committed, and resumed.
        if twins.applied and data.draw(st.booleans()):
            of = data.draw(st.sampled_from(twins.applied))
            twins.label(of, data.draw(st.booleans()), data.draw(label_delays))


@st.composite
def in_order(draw: st.DrawFn) -> Stream:
    """Transactions in order of time, and labels by when they became known."""
    now, transactions, labels = START, [], []
    for i, step in enumerate(draw(st.lists(steps, max_size=14))):
        now += step
        customer, merchant = draw(st.sampled_from(("c0", "c1"))), draw(st.sampled_from(("m0", "m1", None)))
        device = draw(st.sampled_from(("d0", "d1", None)))
        one = transaction(i, now, draw(amounts), customer=customer, merchant=merchant, device=device, body=i)
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


@settings(max_examples=cases(250), deadline=None)
@given(catalog=our_catalog_or_any, stream=in_order(), exact_events=st.sampled_from((0, 1, 3, EXACT_EVENTS)))
def test_online_equals_batch_on_input_in_order(
    store_client: Redis, catalog: Catalog, stream: Stream, exact_events: int
) -> None:
    with bounded(exact_events, spare=0, keep=1, block=1):
        assert served_in_order(store_client, catalog, stream) == batch_vectors(*stream, catalog)


def served_in_order(client: Redis, catalog: Catalog, stream: Stream) -> list[bytes]:
    transactions, labels = stream
    client.flushdb()
    store, served, known = OnlineStore(client, catalog), [], list(labels)
    for offset, one in enumerate(transactions):
        while known and known[0].known_at_ms <= one.ts_ms:
            store.apply_labels([known.pop(0)])
        place = f"topic:0:{offset}"
        served.append(store.enrich([one], [place])[0].features.tobytes())
        store.apply_shared([one], [place])
    return served


@settings(max_examples=cases(150), deadline=None)
@given(data=st.data())
def test_a_rebuilt_store_goes_on_like_the_one_it_replaces(store_client: Redis, data: st.DataObject) -> None:
    twins = Twins(store_client, data.draw(our_catalog_or_any))
    before = [(one, f"topic:{i % 2}:{i}") for i, one in enumerate(data.draw(streams(most=10)))]
    for delivery in before:
        twins.deliver([delivery])
    labels = _label_some(twins, data)
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
    delays = data.draw(st.lists(label_delays, max_size=3 if twins.applied else 0))
    chosen = [data.draw(st.sampled_from(twins.applied)) for _ in delays]
    return [
        twins.label(one, data.draw(st.booleans()), delay) for one, delay in zip(chosen, delays, strict=True)
    ]


def test_a_tile_of_labels_alone_holds_no_transaction(store_client: Redis) -> None:
    frauds = WindowFeature(
        name="frauds",
        entity=MERCHANT,
        aggregate="count",
        window=30 * DAY,
        delay=DAY,
        hop=DAY,
        filter="known_fraud",
        description="Known frauds",
        unit="frauds",
    )
    since = [
        replace(frauds, name=aggregate, aggregate=aggregate, filter=None, default=-1.0)
        for aggregate in ("seconds_since_first", "seconds_since_last")
    ]
    twins = Twins(store_client, Catalog((frauds, *since)))
    twins.deliver([(transaction(1, START), "topic:0:1")])
    twins.label(transaction(1, START), True, 12 * DAY)
    [answer] = twins.deliver([(transaction(2, START + 20 * DAY), "topic:0:2")])
    assert answer.features.tolist() == [1.0, *(float(START % DAY + 20 * DAY) / 1000,) * 2]
