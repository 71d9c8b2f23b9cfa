"""Generations: a store that changes over goes on as if nothing had happened, whatever was in flight."""

from __future__ import annotations

from dataclasses import asdict

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bdp_assets.clients.redis import Redis, StoreUnavailable
from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.catch_up import Applied, catch_up
from bdp_assets.features.generations import StoreMoved, Superseded, begin, settle, switch
from bdp_assets.features.labelling import apply_labels
from bdp_assets.features.layout import Layout
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.rebuild import fill
from bdp_assets.features.spec import EXACT_EVENTS
from bdp_assets.features.times import HOUR
from bdp_assets_tests.effort import cases
from bdp_assets_tests.integration.features.test_claims import shards
from bdp_assets_tests.integration.features.test_parity import label_delays, our_catalog_or_any
from bdp_assets_tests.integration.features.twins import Twins
from bdp_assets_tests.unit.features.bounds import bounded
from bdp_assets_tests.unit.features.frames import label_frame, transaction_frame
from bdp_assets_tests.unit.features.strategies import START, streams, transaction

pytestmark = pytest.mark.services

EMPTY = transaction_frame([]), label_frame([])


class Journey:
    """Traffic to a store and its oracle; `published` is what the enriched topic holds, in its order."""

    def __init__(self, client: Redis, data: st.DataObject, exact_events: int, lag: int) -> None:
        """`lag`: within so many others a claim of the API comes by stream, or never."""
        self.twins = Twins(client, data.draw(our_catalog_or_any), exact_events)
        self.twins.store.rebuild(*EMPTY)
        self.published: list[Applied] = []
        self.labels: list[Label] = []
        self._data = data
        self._number = 0
        self._lag = lag
        self._claimed: list[tuple[int, ValidatedTransaction]] = []

    def goes_on(self, name: str) -> None:
        """Some transactions by stream, some by API and then by stream, soon, later or never."""
        for one in self._data.draw(streams(most=8)):
            self._number += 1
            unique = f"{name}-{self._number}"
            delivery = structs.replace(one, transaction_id=unique)
            if self._data.draw(st.booleans()):
                self.twins.deliver([(delivery, None)])
                self._claimed.append((self._number, delivery))
            else:
                self._publish(delivery)
            self._claimed = [claim for claim in self._claimed if claim[0] > self._number - self._lag]
            if self._claimed and self._data.draw(st.booleans()):
                at = self._data.draw(st.integers(0, len(self._claimed) - 1))
                self._publish(self._claimed.pop(at)[1])
            # A transaction that the store has forgotten is believed with its merchant only.
            complete = [one for one in self.twins.applied if one.merchant_id]
            if complete and self._data.draw(st.integers(0, 3)) == 0:
                of = self._data.draw(st.sampled_from(complete))
                delay = self._data.draw(label_delays)
                self.labels.append(self.twins.label(of, self._data.draw(st.booleans()), delay))

    def again(self) -> None:
        """Everything once more, as it came."""
        self.twins.deliver([(one.transaction, one.coordinates) for one in self.published])
        self.twins.deliver([(one, None) for _, one in self._claimed])

    def _publish(self, one: ValidatedTransaction) -> None:
        place = f"topic:{self._number % 2}:{self._number * 100 + len(self.published)}"
        [answer] = self.twins.deliver([(one, place)])
        self.published.append(Applied(one, answer.apply_seq, place))


def lake(published: list[Applied]) -> pl.DataFrame:
    """As a rebuild reads it: by apply sequence."""
    frame = transaction_frame([one.transaction for one in published]).with_columns(
        coordinates=pl.Series([one.coordinates for one in published], dtype=pl.String),
        apply_seq=pl.Series([one.apply_seq for one in published], dtype=pl.Int64),
    )
    return frame.sort("apply_seq", maintain_order=True)


@settings(max_examples=cases(50), deadline=None)
@given(data=st.data(), exact_events=st.sampled_from((0, 2, EXACT_EVENTS)), keep=st.sampled_from((3, 50)))
def test_a_switch_in_mid_traffic_is_not_noticed(
    store_client: Redis, data: st.DataObject, exact_events: int, keep: int
) -> None:
    with bounded(exact_events, spare=max(keep, 12), keep=keep, block=1):
        journey = Journey(store_client, data, exact_events, lag=keep)
        journey.goes_on("before")
        landed = data.draw(st.integers(0, len(journey.published)))
        client, store = store_client, journey.twins.store
        new = begin(client, store.layout)
        fill(client, new, lake(journey.published[:landed]), label_frame([]))
        journey.goes_on("meanwhile")
        catch_up(client, new, journey.published[landed:])
        apply_all(client, new, journey.labels)
        switch(client, new, {}, keep_previous=True)
        if data.draw(st.booleans()):
            settle(client, new, lag_s=0)
        store.bind()
        journey.goes_on("after")
        if keep == 50:  # else some claims have left, as they may
            journey.again()


def apply_all(client: Redis, layout: Layout, labels: list[Label]) -> None:
    places = [f"labels:{number % 2}:{number}" for number in range(1, len(labels) + 1)]
    for one, place in zip(labels, places, strict=True):
        apply_labels(client, layout, [one], [place])


@pytest.fixture
def store(store: OnlineStore) -> OnlineStore:
    store.rebuild(*EMPTY)
    return store


ONE, TWO, THREE = (transaction(n, START + n * HOUR, body=n) for n in (1, 2, 3))
HERE = "topic:0:7"


def change_over(store: OnlineStore) -> Layout:
    new = begin(store.client, store.layout)
    switch(store.client, new, asdict(fill(store.client, new, *EMPTY)), keep_previous=True)
    return new


def test_a_call_of_the_api_follows_and_a_message_is_done_again(store: OnlineStore) -> None:
    [claimed] = store.enrich([ONE], [None])
    old = store.layout
    new = change_over(store)
    with pytest.raises(StoreMoved):
        store.enrich([TWO], [HERE])
    again, fresh = store.enrich([ONE, THREE], [None, None])
    assert store.layout.generation == new.generation != old.generation
    assert (again.status, again.apply_seq, again.features.tobytes()) == (
        "redelivery",
        1,
        claimed.features.tobytes(),
    )
    assert (fresh.status, fresh.apply_seq) == ("new", 3), "the message's claim came along"
    assert store.enrich([TWO], [HERE])[0].status == "redelivery"


def test_who_has_not_heard_of_a_switch_cannot_claim_behind_it(store: OnlineStore) -> None:
    store.enrich([ONE], [None])
    deaf = OnlineStore(store.client)
    deaf.bind()
    new = change_over(store)
    store.enrich([TWO], [None])
    with pytest.raises(StoreMoved):
        deaf.enrich([THREE], [HERE])
    assert deaf.layout.generation == new.generation
    assert deaf.enrich([THREE], [HERE])[0].apply_seq == 3


def test_of_two_rebuilds_the_later_one_serves(store: OnlineStore) -> None:
    first, second = begin(store.client, store.layout), begin(store.client, store.layout)
    switch(store.client, second, {}, keep_previous=True)
    with pytest.raises(Superseded, match="another rebuild"):
        switch(store.client, first, {}, keep_previous=True)


def test_a_decision_belongs_to_no_generation(store: OnlineStore) -> None:
    store.enrich([ONE], [None])
    store.save_decision(ONE, b"approve")
    settle(store.client, change_over(store), lag_s=0)
    store.bind()
    assert store.enrich([ONE], [None])[0].decision == b"approve"


def test_a_server_that_has_never_moved_anybody_does_so_before_it_claims(store: OnlineStore) -> None:
    """Its script used to be sent again when the claims beside it had been made, as of strangers."""
    for shard in shards(store):
        shard.script_flush()
    [claimed] = store.enrich([ONE], [None])
    change_over(store)
    again, fresh = store.enrich([ONE, TWO], [None, None])
    assert [(one.status, one.apply_seq) for one in (again, fresh)] == [("redelivery", 1), ("new", 2)]
    assert again.features.tobytes() == claimed.features.tobytes()


def test_claims_of_the_api_that_are_under_way_at_a_switch_go_after_it(store: OnlineStore) -> None:
    store.rebuild(*EMPTY)
    store.enrich([ONE], [None])
    before = store.claim([TWO], [None])
    switched = change_over(store)
    after = store.claim([THREE], [None])
    settle(store.client, switched, lag_s=0)
    answers = [*before.enrichments(), *after.enrichments()]
    assert [one.apply_seq for one in answers] == [2, 3]
    assert {one.status for one in answers} <= {"new", "redelivery"}


def test_nothing_of_the_generation_before_is_left(store: OnlineStore) -> None:
    store.enrich([ONE, TWO], [None, HERE])
    store.apply_shared([TWO], [HERE])
    old = store.layout
    settle(store.client, change_over(store), lag_s=0)
    assert not list(store.client.scan_iter(f"{old.prefix}*"))


def test_a_gap_stays_for_the_claim_that_is_on_its_way(store: OnlineStore) -> None:
    layout = begin(store.client, store.layout)
    rows = lake([Applied(ONE, 1, HERE), Applied(THREE, 3, "topic:0:9")])
    fill(store.client, layout, rows, label_frame([]))
    switch(store.client, layout, {}, keep_previous=False)
    store.bind()
    catch_up(store.client, store.layout, [Applied(TWO, 2, "topic:0:10")])
    answers = store.enrich([ONE, TWO, THREE], [HERE, "topic:0:10", "topic:0:9"])
    assert [(a.status, a.apply_seq) for a in answers] == [("redelivery", n) for n in (1, 2, 3)]
    count = CATALOG.names.index("customer_count_1d")
    assert [a.features[count] for a in answers] == [1, 2, 3]


def test_history_that_came_after_live_traffic_comes_first(store: OnlineStore) -> None:
    """A claim whose sequence somebody else has by now goes to the end."""
    store.enrich([TWO], [HERE])
    store.enrich([THREE], [None])
    layout = begin(store.client, store.layout)
    rows = lake([Applied(TWO, 1, HERE)])
    history = transaction_frame([ONE]).with_columns(
        coordinates=pl.lit(None, pl.String), apply_seq=pl.lit(None, pl.Int64)
    )
    fill(store.client, layout, pl.concat([history, rows]), label_frame([]))
    switch(store.client, layout, {}, keep_previous=True)
    store.bind()
    answers = store.enrich([ONE, TWO, THREE], [None, HERE, None])
    assert [(a.status, a.apply_seq) for a in answers] == [("redelivery", n) for n in (1, 2, 3)]


@pytest.mark.parametrize("place", [HERE, None])
def test_a_store_that_is_emptied_under_a_call_answers_nobody_as_a_stranger(
    store: OnlineStore, place: str | None
) -> None:
    """Found on paper by asking where `bdp chaos` could strike: between `ready` and the claims of a batch."""
    store.rebuild(*EMPTY)
    store.enrich([ONE], [None])
    assert store.ready()
    store.client.flushdb()

    with pytest.raises(StoreUnavailable, match="emptied"):
        store.enrich([TWO], [place])
    assert not store.ready()
    store.rebuild(*EMPTY)
    assert store.enrich([TWO], [place])[0].status == "new"
