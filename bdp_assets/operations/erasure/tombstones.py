"""The tombstones' way to workers and API: published in the online store, as the lists are."""

from __future__ import annotations

import time

from bdp_assets.clients.lake import Lake
from bdp_assets.decisions.publication import channel
from bdp_assets.decisions.tombstones import TOMBSTONES, PublishedTombstones
from bdp_assets.ingest.erased import tombstones
from bdp_assets.settings import Settings


def publish_tombstones(settings: Settings, lake: Lake) -> None:
    """Put the lake's tombstones where processes look, if there are any. Raises StoreUnavailable."""
    # The clock before the lake: of two at once, whoever saw less has the earlier revision.
    revision = time.time_ns() // 1000
    if known := tombstones(lake):
        TOMBSTONES.publish(channel(settings), PublishedTombstones(revision, dict(known)))
