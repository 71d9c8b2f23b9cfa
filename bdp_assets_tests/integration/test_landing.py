"""Landing from a real topic: transactions, aborts and markers, retries, a topic that is made anew."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bdp_assets.clients.kafka import (
    TopicSpec,
    admin,
    ensure_topics,
    topic_ids,
    transactional_producer,
    watermarks,
)
from bdp_assets.clients.lake import Lake
from bdp_assets.ingest import landing, offsets
from bdp_assets.ingest.landing import Destination, TopicRange, land
from bdp_assets.ingest.offsets import due_ranges, landed_offsets
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.messages import body
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.stream import until

pytestmark = pytest.mark.services
PARTITIONS = 3


class Topic:
    """A topic of the test's own that lands in the table `raw`."""

    def __init__(self, settings: Settings, lake: Lake) -> None:
        self.settings, self.lake = settings, lake
        self.name = f"landing-{uuid.uuid4().hex[:8]}"
        self._producer: Any = transactional_producer(settings, self.name)
        self._producer.init_transactions(10)
        self.make()

    def make(self) -> None:
        ensure_topics(self.settings, [TopicSpec(self.name, PARTITIONS)])

    def drop(self) -> None:
        client = admin(self.settings)
        for future in client.delete_topics([self.name]).values():
            future.result(10)
        until(lambda: self.name not in client.list_topics(timeout=10).topics)

    def send(self, *ids: str, commit: bool = True) -> None:
        self._producer.begin_transaction()
        for place, transaction_id in enumerate(ids):
            self._producer.produce(self.name, body(transaction_id), partition=place % PARTITIONS)
        (self._producer.commit_transaction if commit else self._producer.abort_transaction)(10)

    def due(self) -> list[TopicRange]:
        """What the sensor would ask for if it knew nothing but the lake."""
        ends, ids = watermarks(self.settings, [self.name]), topic_ids(self.settings, [self.name])
        return due_ranges(ends, ids, landed_offsets(self.lake, ends, ids))

    def landed(self) -> list[str]:
        if not self.lake.exists("raw"):
            return []
        values = self.lake.read("raw")["value"].str.json_path_match("$.transaction_id")
        return sorted(values.to_list())


@pytest.fixture
def topic(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    topic = Topic(platform.settings, Lake(str(tmp_path)))
    for module in (landing, offsets):
        monkeypatch.setattr(module, "DESTINATIONS", {topic.name: Destination(topic.name, "raw")})
    yield topic
    topic.drop()


def test_committed_messages_land_once_and_aborted_ones_never(topic: Topic) -> None:
    sent = [f"t-{n}" for n in range(10)]
    topic.send(*sent[:4])
    topic.send("never-1", "never-2", commit=False)
    topic.send(*sent[4:7])
    first = topic.due()
    land(topic.settings, topic.lake, first)
    topic.send(*sent[7:])
    land(topic.settings, topic.lake, topic.due())
    land(topic.settings, topic.lake, first)
    assert topic.landed() == sorted(sent)
    assert topic.due() == []


def test_a_topic_that_was_made_anew_lands_from_its_start(topic: Topic) -> None:
    topic.send("t-0", "t-1", "t-2", "t-3", "t-4", "t-5")
    land(topic.settings, topic.lake, topic.due())
    topic.drop()
    topic.make()
    topic.send("t-6")
    until(lambda: [cut.start for cut in topic.due()] == [0])
    land(topic.settings, topic.lake, topic.due())
    assert topic.landed() == [f"t-{n}" for n in range(7)]
