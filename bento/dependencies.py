"""What the service leans on, each looked at every second by a thread of its own.

No request waits for a probe, and no probe for another: a driver may take its time over a broker that is gone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.features.online import OnlineStore
from bdp_assets.observability.metrics import API_DEPENDENCY_UP
from bento.models import DependencyState
from bento.raw_topic import RawTopic
from bento.spool.spool import Spool, State

EVERY_S = 1.0


class Dependencies:
    """State of the online store, of Kafka and of the spool, at most about a second old."""

    def __init__(self, store: OnlineStore, raw_topic: RawTopic, spool: Spool) -> None:
        self._store = store
        self._spool = spool
        self._raw_topic = raw_topic
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=[probe], name=probe.__name__, daemon=True)
            for probe in (self._probe_store, self._probe_kafka, self._probe_spool)
        ]
        self.store: DependencyState = "down"
        self.kafka: DependencyState = "down"

    def start(self) -> None:
        """Probe once, then go on in the background."""
        self.probe()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def probe(self) -> None:
        """Look at each dependency once."""
        self._probe_store()
        self._probe_kafka()
        self._probe_spool()

    @property
    def spool(self) -> State:
        """As of the last call."""
        return self._spool.state

    def store_failed(self) -> None:
        """A request ran into the store's time-out: nobody else needs to, until a probe finds it again."""
        self.store = "down"

    def _store_state(self) -> DependencyState:
        try:
            return "ok" if self._store.ready() else "empty"
        except StoreUnavailable:
            return "down"

    def _probe_store(self) -> None:
        self.store = self._store_state()
        API_DEPENDENCY_UP.labels("online_store").set(self.store == "ok")
        self._raw_topic.report()

    def _probe_kafka(self) -> None:
        self.kafka = "ok" if self._raw_topic.is_up() else "down"
        API_DEPENDENCY_UP.labels("kafka").set(self.kafka == "ok")

    def _probe_spool(self) -> None:
        self._spool.look()
        API_DEPENDENCY_UP.labels("spool").set(self.spool == "ok")

    def _watch(self, probe: Callable[[], None]) -> None:
        while not self._stopped.wait(EVERY_S):
            probe()
