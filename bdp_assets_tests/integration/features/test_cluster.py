"""What only a cluster has: slots that move, and nodes that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bdp_assets.clients.redis import StoreUnavailable, connect, describe, run
from bdp_assets.clients.redis_cluster import Cluster, primaries
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.times import HOUR
from bdp_assets.runtime import valkey
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.features.servers import cluster
from bdp_assets_tests.unit.features.strategies import START, transaction

pytestmark = pytest.mark.services

MANY = [transaction(n, START + n * HOUR, customer=f"c{n}", merchant=f"m{n % 7}") for n in range(60)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    home: Path = tmp_path_factory.mktemp("cluster")
    with cluster(str(valkey.binary()), home) as url:
        yield Settings(_env_file=None, redis_url=url, redis_timeout_ms=10_000)  # type: ignore[call-arg]


@pytest.fixture
def store(settings: Settings) -> OnlineStore:
    client = connect(settings)
    assert isinstance(client, Cluster)
    client.open().flushall()
    return OnlineStore(client)


def test_one_call_spreads_over_all_shards_and_back_in_order(store: OnlineStore) -> None:
    answers = store.enrich(MANY, [None] * len(MANY))
    assert [answer.status for answer in answers] == ["new"] * len(MANY)
    assert all(shard.dbsize() for shard in primaries(store.client.open()))
    assert run(store.client, [("GET", f"key-{n}") for n in range(9)]) == [None] * 9
    assert describe(store.client).endswith("3 shards")


def test_slots_that_move_are_followed(store: OnlineStore) -> None:
    """A slot on its way answers ASK for what has left, and MOVED at the end; nothing is claimed twice.

    What needs several keys, as a claim does, has to wait until the slot has arrived: servers say TRYAGAIN.
    """
    store.enrich(MANY, [None] * len(MANY))
    store.save_decision(MANY[0], b"approve")
    opened = store.client.open()
    one = MANY[0]
    slot = opened.keyslot(store.layout.events(one.customer_id))
    source, target = _owner(store, slot), _another(store, slot)
    ids = [shard.execute_command("CLUSTER MYID") for shard in (source, target)]
    target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[0])
    source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[1])
    place = target.connection_pool.connection_kwargs
    keys = source.execute_command("CLUSTER GETKEYSINSLOT", slot, 100)
    source.execute_command("MIGRATE", place["host"], place["port"], "", 0, 5_000, "KEYS", *keys)
    assert store.decision(one.customer_id, one.transaction_id) == b"approve"
    with pytest.raises(StoreUnavailable):
        store.enrich([one], [None])
    for shard in primaries(opened):
        shard.execute_command("CLUSTER SETSLOT", slot, "NODE", ids[1])
    assert store.enrich(MANY, [None] * len(MANY))[0].status == "redelivery"
    assert store.enrich([one], ["topic:0:1"])[0].status == "redelivery"


def test_a_cluster_that_is_not_there_says_so() -> None:
    nowhere = Settings(_env_file=None, redis_url="redis://127.0.0.1:1/0?cluster=true")  # type: ignore[call-arg]
    store = OnlineStore(connect(nowhere))  # connects on first use only
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1 is not reachable"):
        store.ready()


def _owner(store: OnlineStore, slot: int) -> redis.Redis:
    opened = store.client.open()
    return opened.get_redis_connection(opened.nodes_manager.get_node_from_slot(slot))


def _another(store: OnlineStore, slot: int) -> redis.Redis:
    mine = _owner(store, slot)
    return next(one for one in primaries(store.client.open()) if one is not mine)
