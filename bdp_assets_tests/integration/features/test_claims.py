"""The claim: what is new, delivered again, a duplicate or a conflict; and what may change the state."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from redis import RedisCluster
from redis.crc import key_slot
from redis.exceptions import ConnectionError, ResponseError

from bdp_assets.clients.redis import Redis, StoreUnavailable, connect, run
from bdp_assets.clients.redis_cluster import primaries
from bdp_assets.clients.redis_exchange import Posted
from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features import claiming, folding
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.records import Batch, record_width, source
from bdp_assets.features.spec import MERCHANT, SLACK
from bdp_assets.features.times import DAY, HOUR
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.conftest import free_ports
from bdp_assets_tests.unit.features.bounds import bounded
from bdp_assets_tests.unit.features.strategies import START, transaction

pytestmark = pytest.mark.services

HERE, THERE = "topic:0:7", "topic:0:8"
FIRST = transaction(1, START, 500, body=1)
SECOND = transaction(2, START + 1_000, 700, body=2)
OTHER_BODY = transaction(1, START, 999, body=9)


def state(client: Redis) -> dict[bytes, bytes | None]:
    """Everything that is stored, without times to live."""
    return {key: client.dump(key) for key in sorted(client.scan_iter())}


@pytest.mark.parametrize(
    ("claimed_by", "asked_by", "again", "status"),
    [
        (HERE, HERE, FIRST, "redelivery"),
        (HERE, THERE, FIRST, "duplicate"),
        (HERE, THERE, OTHER_BODY, "conflict"),
        (HERE, None, FIRST, "redelivery"),
        (HERE, None, OTHER_BODY, "conflict"),
        (None, None, FIRST, "redelivery"),
        (None, None, OTHER_BODY, "conflict"),
        (None, HERE, FIRST, "redelivery"),
        (None, HERE, OTHER_BODY, "conflict"),
    ],
)
def test_a_claimed_transaction_comes_again(
    store: OnlineStore, claimed_by: str | None, asked_by: str | None, again: ValidatedTransaction, status: str
) -> None:
    claimed, _ = store.enrich([FIRST, SECOND], [claimed_by, THERE])
    before = state(store.client)
    answer = store.enrich([again], [asked_by])[0]
    assert (claimed.status, answer.status, answer.apply_seq) == ("new", status, 1)
    if status == "redelivery":
        assert answer.features.tobytes() == claimed.features.tobytes()
    else:
        assert answer.features.size == 0
    adopted = claimed_by is None and asked_by is not None and status == "redelivery"
    assert (state(store.client) == before) is not adopted


def test_only_the_first_stream_delivery_adopts_the_claim_of_the_api(store: OnlineStore) -> None:
    store.enrich([FIRST], [None])
    decision = store.save_decision(FIRST, b"approve")
    adopted, again, copy = store.enrich([FIRST] * 3, [HERE, HERE, THERE])
    assert [adopted.status, again.status, copy.status] == ["redelivery", "redelivery", "duplicate"]
    assert adopted.decision == again.decision == decision == b"approve"


def test_a_customer_of_many_transactions_is_asked_in_parts(
    store: OnlineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [transaction(number, START + number) for number in (1, 2, 3, 1, 4, 4, 5, 2)]
    places = [f"topic:0:{number}" for number in range(len(batch))]
    whole = store.enrich(batch, places)
    store.client.flushdb()
    monkeypatch.setattr(claiming, "TOGETHER", 3)
    parts = store.enrich(batch, places)
    assert [(one.status, one.apply_seq, one.features.tobytes()) for one in parts] == [
        (one.status, one.apply_seq, one.features.tobytes()) for one in whole
    ]
    assert [one.status for one in whole].count("duplicate") == 3
    assert [one.apply_seq for one in whole] == [1, 2, 3, 1, 4, 4, 5, 2]


def test_the_first_decision_stands(store: OnlineStore) -> None:
    assert store.decision("c0", "t1") is None
    assert store.save_decisions([FIRST, SECOND], [b"approve", b"review"]) == [b"approve", b"review"]
    assert store.save_decision(FIRST, b"decline") == b"approve"
    assert store.decision("c0", "t1") == b"approve"


@pytest.mark.parametrize("place", [None, HERE])
def test_a_transaction_whose_id_was_retired_has_no_decision_yet(
    store: OnlineStore, place: str | None
) -> None:
    late = [transaction(number, START + 200 * DAY + number) for number in range(100, 180)]
    store.enrich([transaction(number, START + number) for number in range(60)], [None] * 60)
    store.save_decision(FIRST, b"approve")
    for one in late:
        store.enrich([one], [f"topic:0:{one.transaction_id}"])
    assert store.enrich_dry(OTHER_BODY).status == "new"
    assert store.decision("c0", "t1") == b"approve"

    claimed, again = store.enrich([OTHER_BODY] * 2, [place, place])

    assert [(one.status, one.decision) for one in (claimed, again)] == [("new", None), ("redelivery", None)]
    assert store.save_decision(OTHER_BODY, b"decline") == b"decline"


def test_a_dry_run_answers_as_the_next_call_would_and_leaves_no_trace(store: OnlineStore) -> None:
    store.enrich([FIRST], [HERE])
    before = state(store.client)
    dry = store.enrich_dry(SECOND)
    assert [store.enrich_dry(FIRST).status, store.enrich_dry(OTHER_BODY).status] == ["redelivery", "conflict"]
    assert state(store.client) == before
    each = store.claim_dry([SECOND, FIRST, SECOND, OTHER_BODY]).enrichments()
    assert [one.status for one in each] == ["new", "redelivery", "new", "conflict"]
    assert {each[at].features.tobytes() for at in (0, 2)} == {dry.features.tobytes()}, "each as if alone"
    assert state(store.client) == before
    wet = store.enrich([SECOND], [None])[0]
    assert (dry.status, dry.apply_seq, dry.features.tobytes()) == ("new", 2, wet.features.tobytes())


def test_claims_under_way_come_before_those_after_they_were_waited_for(store: OnlineStore) -> None:
    batch = [transaction(number, START + number) for number in range(6)]
    whole = [one.features.tobytes() for one in store.enrich(batch, [None] * 6)]
    store.client.flushdb()
    first = store.claim(batch[:3], [None] * 3)
    first.wait()
    second = store.claim(batch[3:], [None] * 3)
    answers = [*first.enrichments(), *second.enrichments()]
    assert [one.apply_seq for one in answers] == [1, 2, 3, 4, 5, 6]
    assert [one.features.tobytes() for one in answers] == whole


def test_claims_that_nobody_waits_for_answer_nobody_else(store: OnlineStore) -> None:
    store.claim([FIRST], [HERE]).close()
    assert [store.enrich([one], [place])[0].status for one, place in ((SECOND, THERE), (FIRST, HERE))] in (
        ["new", "new"],
        ["new", "redelivery"],
    )
    assert stored(store) == 2, "and no answer of theirs is read as that of something else"


def test_what_is_claimed_is_seen_in_the_same_script_whoever_looks(store: OnlineStore) -> None:
    """Also by what adds nothing itself."""
    batch = Batch.of([FIRST, SECOND], store.catalog.ids)
    call = claiming.Call([FIRST, SECOND], batch, [source(HERE), source(None)], ["stream", "dry"])
    [command] = claiming.claims(store.layout, call, [[0, 1]])
    told = claiming.claimed(store.layout, [[0, 1]], run(store.client, [command], [claiming.CLAIM]))
    assert [(told[row].status, told[row].sequence) for row in (0, 1)] == [(0, 1), (0, 2)]
    assert (told[0].events, told[1].events) == (b"", store.client.get(store.layout.events("c0")))


def test_without_history_is_what_a_stranger_gets(store: OnlineStore) -> None:
    stranger = store.enrich([FIRST], [None])[0].features
    assert store.features_without_history(FIRST).tobytes() == stranger.tobytes()
    assert np.isfinite(stranger).all()
    nowhere = transaction(3, START, merchant=None)
    assert np.isfinite(store.features_without_history(nowhere)).all()


def test_an_empty_micro_batch_is_none(store: OnlineStore) -> None:
    assert store.enrich([], []) == []
    store.apply_shared([], [])


def test_keys_of_a_customer_share_a_slot_and_expire(store: OnlineStore) -> None:
    store.enrich([FIRST], [HERE])
    store.save_decision(FIRST, b"approve")
    store.apply_shared([FIRST], [HERE])
    keys = [key.decode() for key in store.client.scan_iter()]
    customer = [key for key in keys if "{customer:c0}" in key]
    merchant = [key for key in keys if "{merchant:" in key]
    assert (len(customer), len(merchant), len(keys)) == (3, 2, 5)
    assert len({key_slot(key.encode()) for key in customer}) == 1
    assert all(30 * DAY // 1000 < store.client.ttl(key) <= 120 * DAY // 1000 for key in keys)


def shards(store: OnlineStore) -> list[Any]:
    """A client for each server."""
    return primaries(store.client) if isinstance(store.client, RedisCluster) else [store.client]


def stored(store: OnlineStore) -> int:
    """Records of c0."""
    return store.client.strlen(store.layout.events("c0")) // (8 * record_width(store.layout.ids))


def test_claims_leave_with_their_events(store: OnlineStore) -> None:
    """Long after, what no window reaches is cut (in blocks), and its transaction ids are free again."""
    old = [transaction(i, START + i) for i in range(80)]
    store.enrich(old, [f"topic:0:{i}" for i in range(80)])
    later = START + 90 * DAY + SLACK + 80
    store.enrich(
        [transaction(100 + i, later + i) for i in range(40)], [f"topic:0:{100 + i}" for i in range(40)]
    )
    store.enrich([transaction(200, later + 40)], ["topic:0:200"])
    assert stored(store) == 41
    again = store.enrich([old[0]], ["topic:0:201"])[0]
    assert (again.status, again.apply_seq) == ("new", 122)


def test_the_last_claims_stay_however_far_time_jumps(store: OnlineStore) -> None:
    """So that a micro-batch in which it does can be delivered again."""
    batch = [transaction(i, START + i * 100 * DAY) for i in range(20)]
    places = [f"topic:0:{i}" for i in range(20)]
    first = store.enrich(batch, places)
    again = store.enrich(batch, places)
    assert [a.status for a in again] == ["redelivery"] * 20
    assert [a.features.tobytes() for a in again] == [a.features.tobytes() for a in first]


def test_a_late_event_is_not_what_drops_others(store: OnlineStore) -> None:
    store.enrich([transaction(i, START + i) for i in range(80)], [None] * 80)
    store.enrich([transaction(100, START - 300 * DAY)], [None])
    store.enrich([transaction(101, START + 100)], [None])
    assert stored(store) == 82


def test_more_events_than_the_bound_are_folded(store: OnlineStore) -> None:
    with bounded(50, spare=30, keep=8, block=16):
        many = [transaction(i, START + i * HOUR // 4) for i in range(200)]
        places = [f"topic:0:{i}" for i in range(200)]
        answers = [store.enrich([one], [place])[0] for one, place in zip(many, places, strict=True)]
        count = store.catalog.names.index("customer_count_30d")
        assert [answer.features[count] for answer in answers] == list(range(1, 201))
        assert 80 <= stored(store) < 80 + 16
        again = store.enrich(many[-30:], places[-30:])
        assert [a.features.tobytes() for a in again] == [a.features.tobytes() for a in answers[-30:]]
        assert [answer.is_folded for answer in answers[50:52]] == [False, True]


def test_a_call_of_the_api_leaves_folding_to_the_stream_until_it_is_much(store: OnlineStore) -> None:
    with bounded(10, spare=0, keep=2, block=5):
        many = [transaction(i, START + i * HOUR) for i in range(60)]
        for one in many[:49]:
            store.enrich([one], [None])
        assert stored(store) == 49
        store.enrich([many[49]], ["topic:0:49"])
        assert 10 <= stored(store) < 15
        for one in many[50:]:
            store.enrich([one], [None])
        assert 20 <= stored(store) < 25


def test_who_folds_second_changes_nothing(store: OnlineStore) -> None:
    with bounded(10, spare=0, keep=4, block=1_000):
        store.enrich([transaction(i, START + i * HOUR) for i in range(30)], [None] * 30)
    read = store.client.mget(store.layout.events("c0"), store.layout.folded("c0"))
    cut = folding.Cut("c0", 20, read[0], read[1] or b"")
    with bounded(10, spare=0, keep=4, block=1):
        folding.fold(store.client, store.layout, [cut])
        once = state(store.client)
        folding.fold(store.client, store.layout, [cut])
    assert state(store.client) == once
    assert stored(store) == 10


def test_a_server_that_forgot_the_scripts_is_told_again(store: OnlineStore) -> None:
    store.enrich([FIRST], [HERE])
    store.client.script_flush()
    answers = store.enrich([FIRST, SECOND], [HERE, THERE])
    assert [answer.status for answer in answers] == ["redelivery", "new"]
    store.client.script_flush()
    store.apply_shared([FIRST, SECOND], [HERE, THERE])
    assert store.client.exists(*store.layout.tiles(MERCHANT, "m0"))


def test_a_connection_that_was_closed_is_opened_again(store: OnlineStore, store_settings: Settings) -> None:
    closed = OnlineStore(connect(store_settings))
    closed.enrich([FIRST], [HERE])
    assert sum(shard.client_kill_filter(_type="normal", skipme=True) for shard in shards(store)) >= 1
    assert closed.enrich([SECOND], [THERE])[0].apply_seq == 2


def test_a_store_that_is_down_says_so(store_settings: Settings) -> None:
    port = free_ports()["redis_port"]
    down = connect(store_settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{port}/0"}))
    for call in (lambda s: s.enrich([FIRST], [None]), lambda s: s.ready(), lambda s: s.decision("c0", "t1")):
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port} is not reachable: start it"):
            call(OnlineStore(down))


def test_a_store_that_is_slow_says_so_in_time(store: OnlineStore, store_settings: Settings) -> None:
    hasty = OnlineStore(connect(store_settings.model_copy(update={"redis_timeout_ms": 50})))
    hasty.enrich([FIRST], [HERE])
    for shard in shards(store):
        shard.client_pause(600, all=True)
    with pytest.raises(StoreUnavailable, match="did not answer in time"):
        hasty.enrich([SECOND], [THERE])
    time.sleep(0.7)
    assert hasty.enrich([SECOND], [THERE])[0].apply_seq == 2


def test_a_full_store_says_so(store: OnlineStore) -> None:
    for shard in shards(store):
        shard.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable, match="refuses writes"):
            store.enrich([FIRST], [HERE])
    finally:
        for shard in shards(store):
            shard.config_set("maxmemory", 0)


def test_a_defect_is_not_an_outage(store: OnlineStore) -> None:
    store.client.lpush(store.layout.events("c0"), "not ours")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        store.enrich([FIRST], [HERE])


def test_claims_of_a_call_whose_answer_was_lost_are_its_own(
    store: OnlineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever claims writes down: an answer that nobody heard must not leave it to nobody."""
    if isinstance(store.client, RedisCluster):
        pytest.skip("a cluster's connections are not asked again")
    store.enrich([SECOND], [None])
    store.save_decision(SECOND, b"approve")
    lost, read = iter([True]), Posted._read

    def read_in_vain(posted: Posted) -> list[Any]:
        replies = read(posted)
        if next(lost, False):
            raise ConnectionError("closed by the other end")
        return replies

    monkeypatch.setattr(Posted, "_read", read_in_vain)
    fresh, known = store.enrich([FIRST, SECOND], [None, None])
    assert (fresh.status, fresh.apply_seq, fresh.decision) == ("new", 2, None)
    assert (known.status, known.apply_seq, known.decision) == ("redelivery", 1, b"approve")
    lost = iter([True])
    [adopted] = store.enrich([FIRST], [HERE])
    assert adopted.status == "redelivery", "to a message it is what the API claimed, however often it asks"
