"""Lesson 11: a worker was killed, and the ledger holds all the same."""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.operations.learn.lesson import Missing
from bdp_assets.operations.verify.lag import await_drained
from bdp_assets.operations.verify.verification import verify
from bdp_assets.runtime import logs
from bdp_assets.settings import Settings

KILLED = "exited: scoring (terminated by SIGKILL"
WAIT_S = 120.0


def look(settings: Settings) -> Iterator[Missing]:
    """Raises KafkaUnavailable, KafkaRefused, OffsetsGone, Outage."""
    log = logs.path(settings.home, "supervisord")
    if not log.is_file() or KILLED not in log.read_text():
        yield Missing("The supervisor saw no scoring worker end by kill -9.", 2)
        return
    found = verify(settings, await_drained(settings, WAIT_S))
    if not found.drained:
        yield Missing("Messages still wait for a worker: `bdp status` says whether one runs.", 3)
    if not found.holds:
        yield Missing(f"The ledger does not hold: {'; '.join(found.broken)}.", 3)
