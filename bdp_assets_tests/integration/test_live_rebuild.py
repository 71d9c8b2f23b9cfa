"""The online store is rebuilt while stream, labels and API go on: no gap, nothing double, statuses right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.redis import run
from bdp_assets.contracts.codec import decode_dead_letter
from bdp_assets.contracts.erasure import NOBODY
from bdp_assets.contracts.topics import DLQ, LABELS
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.generations import MOVED, parsed, pointer
from bdp_assets.features.layout import Layout
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.rebuild import fill
from bdp_assets.features.records import Events
from bdp_assets.features.spec import MERCHANT
from bdp_assets.operations.ledger import read_ledger
from bdp_assets.operations.rebuild_store import rebuild_store
from bdp_assets.streaming import groups
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.rebuilding import Traffic, enriched, land_all
from bdp_assets_tests.integration.stream import Stream
from bdp_assets_tests.unit.features.frames import batch_vectors, bits, label_frame, transaction_frame

pytestmark = [pytest.mark.services, pytest.mark.drill]

KILLED_REBUILD = """
import os, sys
from bdp_assets.clients.lake import Lake
from bdp_assets.operations.rebuild_store import rebuild_store
from bdp_assets.settings import get_settings

settings, die_at = get_settings(), sys.argv[1]
kill = lambda at: at == die_at and os.kill(os.getpid(), 9)
rebuild_store(settings, Lake.of(settings), lag_s=0.5, reached=kill)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("rebuild")
    tiny_bundle(home / "models" / "tiny")
    (home / "models" / "champion").symlink_to("tiny")
    return home


@pytest.fixture
def stream(platform: Platform, home: Path) -> Stream:
    return Stream(platform, home)


@pytest.fixture
def lake(stream: Stream, tmp_path: Path) -> Lake:
    stream._environment["BDP_LAKE_URL"] = str(tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


def test_rebuilt_again_and_again_under_traffic(stream: Stream, lake: Lake) -> None:
    generations = [serving(stream)]
    with stream.worker(0), stream.worker(1), stream.worker(kind="labels"):
        with Traffic(stream, seed=1) as traffic:
            traffic.goes_on(300)
            for land_first in (True, False, True):
                if land_first:
                    land_all(stream, lake)
                traffic.goes_on(60)
                _, is_ready = rebuild_store(stream.settings, lake, lag_s=0.5)
                assert is_ready
                generations.append(serving(stream))
                traffic.goes_on(500)
        drain(stream)
    assert len(set(generations)) == len(generations)
    assert_nothing_is_missing_or_double(stream, traffic)


def test_a_rebuild_that_is_killed_changes_nothing_and_the_next_one_works(stream: Stream, lake: Lake) -> None:
    with stream.worker(0), stream.worker(kind="labels"):
        with Traffic(stream, seed=2) as traffic:
            traffic.goes_on(300)
            land_all(stream, lake)
            before = serving(stream)
            for point in ("filled", "caught up", "about to switch"):
                killed(stream, point)
                assert serving(stream) == before
            killed(stream, "switched")
            assert serving(stream) != before
            traffic.goes_on(100)
            rebuild_store(stream.settings, lake, lag_s=0.5)
            traffic.goes_on(600)
        drain(stream)
    assert_nothing_is_missing_or_double(stream, traffic)
    root, client = stream.store.layout.root, stream.store.client
    rest = [key for key in client.scan_iter(f"{root}*") if not key.startswith(ours(stream))]
    assert all(client.get(key) == MOVED and client.ttl(key) > 0 for key in rest), "rebuilds leave nothing"


def test_a_store_that_was_emptied_is_filled_from_lake_and_topic(stream: Stream, lake: Lake) -> None:
    with stream.worker(0), stream.worker(kind="labels"):
        with Traffic(stream, seed=3) as traffic:
            traffic.goes_on(200)
            land_all(stream, lake)
            traffic.goes_on(200)
        drain(stream)
        stream.store.client.flushdb()
        assert not stream.store.ready()
        rebuild_store(stream.settings, lake, lag_s=0)
    assert_nothing_is_missing_or_double(stream, traffic)


def test_another_catalog_is_filled_beside_and_its_worker_catches_up(
    stream: Stream, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code of the next catalog rebuilds its own store while this one's workers go on."""
    from bdp_assets.clients.kafka import topic_ids
    from bdp_assets.contracts.topics import RAW
    from bdp_assets.features.spec import Catalog
    from bdp_assets.operations import rebuild_store as module
    from bdp_assets.streaming.catch_up import CatchUp
    from bdp_assets.streaming.following import Following

    other = Catalog(CATALOG.features[:-1])
    with stream.worker(0), stream.worker(kind="labels"):
        with Traffic(stream, seed=4) as traffic:
            traffic.goes_on(200)
            land_all(stream, lake)
            monkeypatch.setattr(module, "OnlineStore", lambda client: OnlineStore(client, other))
            rebuild_store(stream.settings, lake, lag_s=0)
            traffic.goes_on(200)
        drain(stream)
    store = OnlineStore(stream.store.client, other)
    assert store.ready()
    assert serving(stream) != store.layout.generation
    topic_id = topic_ids(stream.settings, [RAW.name])[RAW.name]
    topics = CatchUp(stream.settings, store.client, NOBODY.cover)
    Following(store, topics.transactions)(topic_id, stream.records(RAW.name)[-1:])
    topics.labels(store.layout)
    assert_equals_a_fresh_one(store, traffic, stream)


def serving(stream: Stream) -> str:
    live = parsed(run(stream.store.client, [pointer(stream.store.layout)])[0])
    assert live is not None
    return live.generation


def ours(stream: Stream) -> tuple[bytes, ...]:
    """How keys begin that stay."""
    layout = stream.store.layout
    return tuple(f"{layout.root}{name}".encode() for name in (f"{layout.generation}:", "live", "{", "fresh:"))


def killed(stream: Stream, point: str) -> None:
    command = [sys.executable, "-c", KILLED_REBUILD, point]
    done = subprocess.run(command, env=stream._environment, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()


def drain(stream: Stream) -> None:
    stream.drain()
    stream.drain(group=groups.LABELS, topic=LABELS)


def assert_nothing_is_missing_or_double(stream: Stream, traffic: Traffic) -> None:
    served = enriched(stream)
    missing = {one.transaction_id for one in traffic.sent} - served.keys()
    assert not missing, f"{missing}: {read_ledger(stream.settings)}"
    assert len(served) == len(traffic.sent)
    letters = [decode_dead_letter(record.value or b"") for record in stream.records(DLQ.name)]
    assert [letter.error for letter in letters] == ["duplicate"] * traffic.repeated
    assert read_ledger(stream.settings).balanced
    rows = [served[one.transaction_id] for one in traffic.sent]
    expected = batch_vectors(traffic.sent, traffic.labels, CATALOG)
    assert bits([list(row.features.values()) for row in rows]) == expected
    assert_equals_a_fresh_one(stream.store, traffic, stream)
    # Whoever asks again gets the claim that there is.
    again = stream.store.enrich(traffic.sent, [None] * len(traffic.sent))
    assert {answer.status for answer in again} == {"redelivery"}
    assert [answer.apply_seq for answer in again] == [row.apply_seq for row in rows]


def assert_equals_a_fresh_one(store: OnlineStore, traffic: Traffic, stream: Stream) -> None:
    """Tiles and records: what one store has that was filled with everything at once."""
    store.bind()
    fresh = Layout(store.catalog, f"{store.layout.root}fresh:", "0")
    fill(store.client, fresh, transaction_frame(traffic.sent), label_frame(traffic.labels))
    for name in sorted({one.merchant_id for one in traffic.sent if one.merchant_id}):
        ours, theirs = (store.client.mget(layout.tiles(MERCHANT, name)) for layout in (store.layout, fresh))
        assert ours == theirs, name
        frauds = [store.client.zrange(one.frauds(MERCHANT, name), 0, -1) for one in (store.layout, fresh)]
        assert sorted(frauds[0]) == sorted(frauds[1]), name
    for name in sorted({one.customer_id for one in traffic.sent}):
        records = [
            Events.unpack([store.client.get(layout.events(name)) or b""], layout.ids).table
            for layout in (store.layout, fresh)
        ]
        assert records[0].tolist() == records[1].tolist(), name
