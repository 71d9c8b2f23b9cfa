"""The scoring worker: settings in, a runner with real clients out."""

from __future__ import annotations

import logging
import signal
import threading

from prometheus_client import start_http_server

from bdp_assets.clients.kafka import GroupReader, TransactionalPublisher, topic_ids
from bdp_assets.clients.redis import connect
from bdp_assets.contracts.topics import RAW
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.online import OnlineStore
from bdp_assets.observability.stream_metrics import REBALANCES
from bdp_assets.pan_key import pan_key
from bdp_assets.settings import Settings
from bdp_assets.streaming.groups import SCORING
from bdp_assets.streaming.runner import Limits, Runner
from bdp_assets.streaming.scoring import Scoring

STORE_TIMEOUT_MS = 5_000
"""A full micro-batch on a busy machine outlasts the time-out of an API call, and would never get through."""

_log = logging.getLogger(__name__)


def run_scoring(settings: Settings, slot: int) -> None:
    """Run one scoring worker until SIGTERM or SIGINT, which drain it.

    `slot` is unique among the workers that run: it names the transaction that a successor takes over.
    Raises BundleError (no usable model), PanKeyMissing, KafkaUnavailable, KafkaRefused, ProducerFenced.
    """
    stop = _stop_on_signals()
    if settings.stream_metrics_port:
        start_http_server(settings.stream_metrics_port + slot)
    decider = Decider.load(settings.models_dir / "champion")
    key = pan_key(settings)
    raw_id = RawTopicId(settings)
    publisher = TransactionalPublisher(settings, f"{SCORING}-{slot}")
    reader = GroupReader(settings, SCORING, [RAW.name], slot=slot, on_rebalance=raw_id.rebalanced)
    patient = settings.model_copy(update={"redis_timeout_ms": STORE_TIMEOUT_MS})
    scoring = Scoring(OnlineStore(connect(patient)), decider, raw_id, pan_key=key)
    _log.info("scoring worker runs", extra={"slot": slot, "model_version": decider.info.version})
    try:
        Runner(
            reader,
            publisher,
            scoring,
            limits=Limits(settings.stream_batch_messages, settings.stream_batch_ms / 1000),
            stop=stop,
        ).run()
    finally:
        reader.close()
        _log.info("scoring worker left the group", extra={"slot": slot})


class RawTopicId:
    """Id of the raw topic; asked again after a rebalance, since a topic that is made anew causes one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._id: str | None = None

    def __call__(self) -> str:
        if self._id is None:
            self._id = topic_ids(self._settings, [RAW.name])[RAW.name]
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
