"""How far the lake is behind the topics."""

from __future__ import annotations

from bdp_assets.clients.kafka import topic_ids, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.ingest.landing import DESTINATIONS
from bdp_assets.ingest.offsets import due_ranges, landed_offsets
from bdp_assets.settings import Settings


def not_landed(settings: Settings) -> int:
    """Offsets (messages and markers of transactions) that the lake has not got yet.

    Raises KafkaUnavailable, KafkaRefused.
    """
    ends = watermarks(settings, list(DESTINATIONS))
    ids = topic_ids(settings, sorted({topic for topic, _ in ends}))
    landed = landed_offsets(Lake.of(settings), ends, ids)
    return sum(due.end - due.start for due in due_ranges(ends, ids, landed))
