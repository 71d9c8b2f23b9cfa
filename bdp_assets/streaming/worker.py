"""The stream's workers: settings in, a runner with real clients out."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable

from prometheus_client import start_http_server

from bdp_assets.clients.kafka import GroupReader, TransactionalPublisher, topic_ids
from bdp_assets.clients.redis import connect
from bdp_assets.contracts.topics import LABELS, RAW, Topic
from bdp_assets.decisions.alerts import Alerts
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.online import OnlineStore
from bdp_assets.observability.stream_metrics import REBALANCES
from bdp_assets.pan_key import pan_key
from bdp_assets.settings import Settings
from bdp_assets.streaming import groups
from bdp_assets.streaming.catch_up import CatchUp
from bdp_assets.streaming.following import Following
from bdp_assets.streaming.labelling import Labelling
from bdp_assets.streaming.runner import Limits, Process, Runner
from bdp_assets.streaming.scoring import Scoring

STORE_TIMEOUT_MS = 5_000
"""A full micro-batch on a busy machine outlasts the time-out of an API call, and would never get through."""

_PORTS = {"scoring": 0, "labels": 100}
"""Where each kind's metrics ports begin, after BDP_STREAM_METRICS_PORT."""

_log = logging.getLogger(__name__)


def run_scoring(settings: Settings, slot: int) -> None:
    """Run one scoring worker until SIGTERM or SIGINT, which drain it.

    `slot` is unique among the workers of a kind that run: it names the transaction that a successor takes
    over. Raises BundleError (no usable model), PanKeyMissing, KafkaUnavailable, KafkaRefused, ProducerFenced.
    """
    key = pan_key(settings)
    decider = Decider.load(settings.models_dir / "champion")
    versions = {"model_version": decider.info.version, "rules_version": decider.rules.version}
    _log.info("model loaded", extra=versions)

    def process(store: OnlineStore, topic_id: TopicId) -> Process:
        follow = Following(store, CatchUp(settings, store.client).transactions)
        return Scoring(store, decider, topic_id, follow, alerts=Alerts(store.client), pan_key=key)

    _run(settings, slot, "scoring", groups.SCORING, RAW, process)


def run_labels(settings: Settings, slot: int) -> None:
    """Run one worker that applies labels to the online store; otherwise as `run_scoring`."""
    key = pan_key(settings)

    def process(store: OnlineStore, topic_id: TopicId) -> Process:
        follow = Following(store, CatchUp(settings, store.client).labels)
        return Labelling(store, topic_id, follow, pan_key=key)

    _run(settings, slot, "labels", groups.LABELS, LABELS, process)


def _run(  # noqa: PLR0913, PLR0917 - one call a kind of worker, side by side
    settings: Settings,
    slot: int,
    kind: str,
    group: str,
    topic: Topic,
    process: Callable[[OnlineStore, TopicId], Process],
) -> None:
    stop = _stop_on_signals()
    if settings.stream_metrics_port:
        start_http_server(settings.stream_metrics_port + _PORTS[kind] + slot)
    topic_id = TopicId(settings, topic)
    publisher = TransactionalPublisher(settings, f"{group}-{slot}")
    reader = GroupReader(settings, group, [topic.name], slot=slot, on_rebalance=topic_id.rebalanced)
    patient = settings.model_copy(update={"redis_timeout_ms": STORE_TIMEOUT_MS})
    worker = process(OnlineStore(connect(patient)), topic_id)
    _log.info("%s worker runs", kind, extra={"slot": slot})
    try:
        Runner(
            reader,
            publisher,
            worker,
            limits=Limits(settings.stream_batch_messages, settings.stream_batch_ms / 1000),
            stop=stop,
        ).run()
    finally:
        reader.close()
        _log.info("%s worker left the group", kind, extra={"slot": slot})


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
