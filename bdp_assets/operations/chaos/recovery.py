"""When is a program over what was done to it? When it works again, not when it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, committed_offsets
from bdp_assets.operations.chaos.plan import Target
from bdp_assets.runtime import services, web
from bdp_assets.runtime.supervisor import Supervisor
from bdp_assets.settings import Settings

LOOK_EVERY_S = 0.25
PATIENCE_S = 300.0

Progress = Callable[[], float | None]
"""Grows while the program works; None while that can not be told."""


@dataclass
class Recovery:
    """Begun after the blow: nothing that is measured from then on was done before it."""

    settings: Settings
    target: Target
    over: Event
    """Set when nobody waits for anything any more."""

    def wait(self, since: float, patience_s: float = PATIENCE_S) -> float | None:
        """Seconds since then until it worked again; None where it did not, with so much patience."""
        began, first = time.monotonic(), None
        progress = self._progress()
        while time.monotonic() - began < patience_s and not self.over.wait(LOOK_EVERY_S):
            seen = progress()
            if first is not None and seen is not None and seen > first and self._runs():
                return time.monotonic() - since
            first = seen if first is None else first
        return None

    def _runs(self) -> bool:
        return Supervisor(self.settings.home).state(self.target.program).state == "running"

    def _progress(self) -> Progress:
        if self.target.reads:
            return lambda: _committed(self.settings, self.target)
        if self.target.program == "dagster-daemon":
            return lambda: web.dagster_heartbeat_s(self.settings) or None
        program = services.find(self.target.program)
        return lambda: time.monotonic() if program.healthy(self.settings) else None


def _committed(settings: Settings, target: Target) -> float | None:
    """How far the group has come."""
    assert target.reads is not None  # noqa: S101 - the caller looked
    group, topic = target.reads
    try:
        return float(sum(committed_offsets(settings, group, [topic.name]).values()))
    except (KafkaUnavailable, KafkaRefused):
        return None
