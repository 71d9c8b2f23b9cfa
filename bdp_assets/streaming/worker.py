"""The stream's workers: settings in, a runner with real clients out."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import start_http_server

from bdp_assets.clients.kafka import GroupReader, TransactionalPublisher, topic_ids
from bdp_assets.clients.redis import connect
from bdp_assets.contracts import topics
from bdp_assets.contracts.topics import Topic
from bdp_assets.decisions.alerts import Alerts
from bdp_assets.decisions.champion import Champion
from bdp_assets.decisions.live_lists import LiveLists
from bdp_assets.decisions.publication import channel
from bdp_assets.decisions.tombstones import LiveTombstones
from bdp_assets.features.online import OnlineStore
from bdp_assets.observability import tracing
from bdp_assets.observability.stream_metrics import REBALANCES
from bdp_assets.pan_key import pan_key
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import LOOPBACK, Settings
from bdp_assets.streaming import groups, kill_points
from bdp_assets.streaming.catch_up import CatchUp
from bdp_assets.streaming.following import Following
from bdp_assets.streaming.garbage import collected_between
from bdp_assets.streaming.labelling import Labelling
from bdp_assets.streaming.runner import Limits, Process, Runner
from bdp_assets.streaming.scoring import Scoring

STORE_TIMEOUT_MS = 5_000
"""A full micro-batch on a busy machine outlasts the time-out of an API call, and would never get through."""


@dataclass(frozen=True)
class Kind:
    """What workers of one kind share."""

    name: str
    group: str
    topics: tuple[Topic, ...]
    """What they read; the id of the first one names the messages that they claim."""
    fill_s: float | None = None
    """Longest wait for a micro-batch to fill; None: BDP_STREAM_BATCH_MS."""


SCORING = Kind("scoring", groups.SCORING, (topics.RAW,))
LABELS = Kind("labels", groups.LABELS, (topics.LABELS,))
# Each message changes some twenty rows of figures, many of them the same ones, and people look at them: wait.
ANALYTICS = Kind("analytics", groups.ANALYTICS, (topics.VALIDATED, topics.LABELS), fill_s=0.5)

_log = logging.getLogger(__name__)


def run_scoring(settings: Settings, slot: int) -> None:
    """Run one scoring worker until SIGTERM or SIGINT, which drain it.

    `slot` is unique among the workers of a kind that run: it names the transaction that a successor takes
    over. Raises BundleError (no usable model), PanKeyMissing, KafkaUnavailable, KafkaRefused, ProducerFenced.
    """
    key = pan_key(settings)
    champion = Champion(LocalBundles(settings.models_dir).champion, settings.champion_poll_ms)
    decider = champion.load()

    lists = LiveLists(channel(settings), settings.lists_file)
    tombstones = _tombstones(settings, key)

    def process(topic_id: TopicId) -> Process:
        store = _store(settings)
        store.warm()
        follow = Following(store, CatchUp(settings, store.client, tombstones.is_erased).transactions)
        scoring = Scoring(
            store,
            decider,
            topic_id,
            follow,
            lists.current,
            tombstones.current,
            alerts=Alerts(store.client),
            pan_key=key,
        )
        champion.follow(scoring.take)
        return scoring

    lists.start()
    try:
        with _followed(tombstones):
            _run(settings, slot, SCORING, process)
    finally:
        champion.stop()
        lists.stop()


def run_labels(settings: Settings, slot: int) -> None:
    """Run one worker that applies labels to the online store; otherwise as `run_scoring`."""
    key = pan_key(settings)
    tombstones = _tombstones(settings, key)

    def process(topic_id: TopicId) -> Process:
        store = _store(settings)
        follow = Following(store, CatchUp(settings, store.client, tombstones.is_erased).labels)
        return Labelling(store, topic_id, follow, tombstones.current, pan_key=key)

    with _followed(tombstones):
        _run(settings, slot, LABELS, process)


def run_analytics(settings: Settings, slot: int) -> None:
    """Run one worker that counts validated transactions by windows; otherwise as `run_scoring`."""
    from bdp_assets.clients.postgres import Warehouse  # loads SQLAlchemy, which the others need not have
    from bdp_assets.streaming.analytics.process import Analytics

    key = pan_key(settings)
    warehouse = Warehouse(settings)
    tombstones = _tombstones(settings, key)

    def process(topic_id: TopicId) -> Process:
        return Analytics(warehouse, topic_id, tombstones.current, pan_key=key)

    try:
        with _followed(tombstones):
            _run(settings, slot, ANALYTICS, process)
    finally:
        warehouse.close()


RUN: Mapping[str, Callable[[Settings, int], None]] = {
    SCORING.name: run_scoring,
    LABELS.name: run_labels,
    ANALYTICS.name: run_analytics,
}


def _tombstones(settings: Settings, key: bytes) -> LiveTombstones:
    return LiveTombstones(channel(settings), settings.tombstones_file, key)


@contextmanager
def _followed(tombstones: LiveTombstones) -> Iterator[None]:
    tombstones.start()
    try:
        yield
    finally:
        tombstones.stop()


def _store(settings: Settings) -> OnlineStore:
    return OnlineStore(connect(settings.model_copy(update={"redis_timeout_ms": STORE_TIMEOUT_MS})))


def metrics_port(settings: Settings, kind: Kind, slot: int) -> int | None:
    """Where a worker's metrics are; None: nowhere."""
    return groups.metrics_port(settings, kind.name, slot) if settings.worker_metrics_port else None


def _run(settings: Settings, slot: int, kind: Kind, process: Callable[[TopicId], Process]) -> None:
    stop = _stop_on_signals()
    if port := metrics_port(settings, kind, slot):
        _show_metrics(settings, port)
    topic_id = TopicId(settings, kind.topics[0])
    publisher = TransactionalPublisher(settings, f"{kind.group}-{slot}")
    names = [topic.name for topic in kind.topics]
    reader = GroupReader(settings, kind.group, names, slot=slot, on_rebalance=topic_id.rebalanced)
    worker = collected_between(process(topic_id))
    fill_s = settings.stream_batch_ms / 1000 if kind.fill_s is None else kind.fill_s
    tracing.start(kind.name, settings.traces_endpoint, settings.traces_ratio)
    _log.info("%s worker runs", kind.name, extra={"slot": slot})
    try:
        Runner(
            reader,
            publisher,
            worker,
            limits=Limits(settings.stream_batch_messages, fill_s),
            stop=stop,
            reached=kill_points.armed(settings.kill_points, f"{kind.name}-{slot}"),
        ).run()
    finally:
        reader.close()
        tracing.stop()
        _log.info("%s worker left the group", kind.name, extra={"slot": slot})


def _show_metrics(settings: Settings, port: int) -> None:
    """A Prometheus of your own may be on another machine; ours is on this one."""
    if settings.monitoring:
        start_http_server(port, addr=LOOPBACK)
    else:
        start_http_server(port)


class TopicId:
    """Id of a topic; asked again after a rebalance, since a topic that is made anew causes one."""

    def __init__(self, settings: Settings, topic: Topic) -> None:
        self._settings = settings
        self._topic = topic.name
        self._id: str | None = None

    def __call__(self) -> str:
        if self._id is None:
            self._id = topic_ids(self._settings, [self._topic])[self._topic]
        return self._id

    def rebalanced(self, event: str, partitions: int) -> None:
        """Count and log a rebalance, and forget the id."""
        self._id = None
        REBALANCES.labels(event).inc()
        _log.info("partitions %s", event, extra={"partitions": partitions})


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
