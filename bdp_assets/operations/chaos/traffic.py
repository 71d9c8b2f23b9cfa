"""Live traffic that goes on whatever happens: play after play, until it is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bdp_assets.clients.kafka import DeliveryFailed, KafkaRefused, KafkaUnavailable
from bdp_assets.operations.traffic import play
from bdp_assets.operations.traffic_journal import Outgoing
from bdp_assets.operations.traffic_sources import simulated
from bdp_assets.settings import Settings

PLAY_S, PAUSE_S = 20.0, 1.0
BAD_SHARE, API_SHARE = 0.05, 0.2


@dataclass
class Traffic:
    """In a thread of its own between `start` and `stop`; some of it through the API."""

    settings: Settings
    rate: float
    plays: int = 0
    interrupted: int = 0
    """Plays that ended early, since Kafka was away for too long."""
    failure: BaseException | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Raises what the traffic ended of, if it was not Kafka's absence."""
        self.end()
        if self.failure is not None:
            raise self.failure

    def end(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._play()
        except BaseException as error:  # noqa: BLE001 - `stop` raises it
            self.failure = error

    def _play(self) -> None:
        now_ms = time.time_ns() // 1_000_000
        records = simulated(self.settings, start_ms=now_ms, per_second=self.rate, bad_share=BAD_SHARE)
        self.plays += 1
        try:
            play(
                self.settings,
                self._until_stopped(records),
                rate=self.rate,
                seconds=PLAY_S,
                api_share=API_SHARE,
            )
        except (DeliveryFailed, KafkaUnavailable, KafkaRefused):
            self.interrupted += 1
            self._stop.wait(PAUSE_S)

    def _until_stopped(self, records: Iterator[Outgoing]) -> Iterator[Outgoing]:
        for record in records:
            if self._stop.is_set():
                return
            yield record
