"""What the service leans on, looked at every second by a thread of its own: no request waits for a probe."""

from __future__ import annotations

import threading

from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.features.online import OnlineStore
from bento.models import DependencyState
from bento.raw_topic import RawTopic

EVERY_S = 1.0


class Dependencies:
    """State of the online store and of Kafka, at most about a second old."""

    def __init__(self, store: OnlineStore, raw_topic: RawTopic) -> None:
        self._store = store
        self._raw_topic = raw_topic
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="dependencies", daemon=True)
        self.store: DependencyState = "down"
        self.kafka: DependencyState = "down"

    def start(self) -> None:
        """Probe once, then go on in the background."""
        self.probe()
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def probe(self) -> None:
        """Look at each dependency once."""
        self.store = self._store_state()
        self.kafka = "ok" if self._raw_topic.is_up() else "down"
        self._raw_topic.report()

    def store_failed(self) -> None:
        """A request ran into the store's time-out: nobody else needs to, until a probe finds it again."""
        self.store = "down"

    def _store_state(self) -> DependencyState:
        try:
            return "ok" if self._store.ready() else "empty"
        except StoreUnavailable:
            return "down"

    def _watch(self) -> None:
        while not self._stopped.wait(EVERY_S):
            self.probe()
