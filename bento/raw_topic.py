"""The way from the spool to Kafka: in the background, in order, without end in time.

Transactions go to `transactions-raw-v1`, labels to `fraud-labels-v1`. What a process left that did not come
back (fewer run than did) is sent as well, by whoever finds it first.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, producer
from bdp_assets.clients.kafka.errors import translated
from bdp_assets.contracts.topics import RAW
from bdp_assets.observability.metrics import API_SPOOL_BYTES, API_SPOOL_WAITING
from bdp_assets.settings import Settings
from bento.passage import Passage
from bento.spool.spool import Spool

AT_ONCE = 2_000
"""How many messages may be under way to the broker."""
PROBE_S = 1.0
WAIT_S = 0.05
GATHER_S = 0.1
"""How long messages gather before they are sent: each look into the spool costs the answers some time."""
LOOK_S = 10.0
"""How often it looks for what others left: a process that is started again takes its own up sooner."""
CLOSE_S = 10.0

_log = logging.getLogger("bdp.api.raw_topic")


class RawTopic:
    """Drains a process's spool, and one at a time of those that nobody holds."""

    def __init__(self, settings: Settings, spool: Spool, key: bytes) -> None:
        """`key` proves to the stream that a decision is the platform's own."""
        self._bootstrap = settings.kafka
        self._spool = spool
        self._key = key
        self._own = Passage(spool, key)
        self._left: Passage | None = None
        self._next_look = time.monotonic() + LOOK_S
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._drain, name="raw topic", daemon=True)
        self._broken = False
        # The spool is the queue: a message is tried until it is delivered, however long the broker is away.
        self._producer: Any = producer(settings, **{"delivery.timeout.ms": 0})

    def start(self) -> None:
        self._thread.start()

    def report(self) -> None:
        """Set what metrics say of the spool, and of one that was left."""
        spools = [passage.spool for passage in self._passages()]
        API_SPOOL_BYTES.set(sum(spool.size_bytes for spool in spools))
        API_SPOOL_WAITING.set(sum(spool.waiting for spool in spools))

    def is_up(self) -> bool:
        """Ask the broker for the topic (at most a second)."""
        if self._broken:
            return False
        try:
            with translated(self._bootstrap):
                self._producer.list_topics(RAW.name, timeout=PROBE_S)
        except (KafkaUnavailable, KafkaRefused):
            return False
        return True

    def close(self) -> None:
        """Send for a while what is left; the rest stays in the spool for the next process."""
        self._stopped.set()
        self._spool.written.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S + 1.0)
        waiting = sum(passage.spool.waiting for passage in self._passages())
        if waiting:
            _log.warning("stopped before Kafka took all messages", extra={"messages": waiting})

    def _passages(self) -> list[Passage]:
        left = self._left
        return [self._own] if left is None else [self._own, left]

    def _drain(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._stopped.is_set()
            try:
                if is_last:
                    self._finish()
                else:
                    self._step()
            except OSError as error:  # The disk: what is there stays there.
                _log.error("can not read or mark the spool", extra={"reason": error.strerror})
                self._stopped.wait(PROBE_S)
            except (KafkaUnavailable, KafkaRefused) as error:  # The driver gave up on this broker.
                self._broken = True
                _log.error("nothing more is sent: restart the API", extra={"reason": str(error)})
                return

    def _step(self) -> None:
        """Note what was delivered, and send what is ready."""
        self._spool.written.clear()
        # First: a folder that another left and nobody can read must not keep ours from being done with.
        self._producer.poll(0)
        self._forget()
        self._let_go()
        self._look()
        if self._send():
            self._stopped.wait(GATHER_S)
        elif any(passage.is_under_way for passage in self._passages()):
            self._producer.poll(WAIT_S)
        else:
            self._spool.written.wait(PROBE_S)

    def _finish(self) -> None:
        """Send what there still is, also what was just gathering, while there is time."""
        ends = time.monotonic() + CLOSE_S
        try:
            self._deliver(ends)
            while time.monotonic() < ends and self._send():
                self._deliver(ends)
        finally:
            self._deliver(ends)  # What a spool had sent before another could not be read.

    def _deliver(self, ends: float) -> None:
        """Wait for what is under way, until then (`time.monotonic`)."""
        self._producer.flush(max(0.0, ends - time.monotonic()))
        self._forget()

    def _send(self) -> bool:
        """Send what is ready; whether there was anything."""
        with translated(self._bootstrap):
            sent = [passage.send(self._producer, AT_ONCE) for passage in self._passages()]
        return any(sent)

    def _forget(self) -> None:
        for passage in self._passages():
            passage.forget()

    def _look(self) -> None:
        """Take up what another process left, if there is anything."""
        if self._left is not None or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_S
        spool = self._spool.left_behind()
        if spool is not None:
            _log.info("sending what another process left", extra={"messages": spool.waiting})
            self._left = Passage(spool, self._key)

    def _let_go(self) -> None:
        """Of what another process left, once all of it is sent."""
        left = self._left
        if left is not None and not left.spool.waiting:
            self._left = None
            left.spool.leave()
            self._next_look = time.monotonic()  # There may be more.
