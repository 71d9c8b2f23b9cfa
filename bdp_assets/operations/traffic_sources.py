"""What traffic is made of: the simulated world now, or the later part of a history file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from bdp_assets.ingest.history import replay
from bdp_assets.ingest.source import HistoryMissing, HistorySource
from bdp_assets.operations.traffic_journal import REPLAYED, Outgoing, replayed_ids
from bdp_assets.settings import Settings
from bdp_assets.simulator.world import World


def simulated(
    settings: Settings, *, start_ms: int, per_second: float, bad_share: float
) -> Iterator[Outgoing]:
    """Endless; the customers of `bdp simulate history` from `start_ms` (UTC epoch milliseconds) on.

    Raises HistoryMissing if that has not been run.
    """
    try:
        world = World.saved(settings.home / "history")
    except FileNotFoundError:
        raise HistoryMissing(
            f"There is no simulated world in {settings.home / 'history'}: run `bdp simulate history` first."
        ) from None
    records = world.live(start_ms, per_second=per_second, bad_share=bad_share)
    return (Outgoing(*record) for record in records)


def replayed(source: HistorySource, first: date) -> Iterator[Outgoing]:
    """The file's rows from the UTC day `first` on, by time. Raises HistoryMissing, MappingError."""
    return (Outgoing(*row, REPLAYED) for row in replay(source, first))


def from_settings(
    settings: Settings, *, start_ms: int, per_second: float, bad_share: float
) -> Iterator[Outgoing]:
    """What follows BDP_HISTORY_UNTIL in the user's own history, if there is one; else the simulated world.

    A file goes on where the plays before stopped: the same row again would be a duplicate.
    Raises HistoryMissing, MappingError.
    """
    if not settings.has_own_history:
        return simulated(settings, start_ms=start_ms, per_second=per_second, bad_share=bad_share)
    source = HistorySource.from_settings(settings)
    first, _ = source.days
    until = settings.history_until
    rows = replayed(source, until + timedelta(days=1) if until else first)
    played = replayed_ids(settings.home)
    return (row for row in rows if (row.customer_id, row.transaction_id) not in played)
