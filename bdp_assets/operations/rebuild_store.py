"""Fills the online store from the lake."""

from __future__ import annotations

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.redis import connect
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.rebuild import RebuildResult
from bdp_assets.ingest.tables import IS_HISTORY, rows
from bdp_assets.settings import Settings

SEEN = [*CATALOG.columns, "body_hash", "door", "apply_seq"]


def rebuild_store(settings: Settings, lake: Lake) -> tuple[RebuildResult, bool]:
    """Replace the store's state by what enriched transactions and labels say. Raises StoreUnavailable.

    Returns what was written, and whether the store says of itself that it is ready.

    All of the past, not only what windows reach: a customer's apply sequence counts from the first one.
    """
    enriched = rows(lake, "enriched", SEEN)
    # History came first; within a door, a customer's transactions in the order in which they were applied.
    arrived = enriched.sort(IS_HISTORY.not_(), "apply_seq", maintain_order=True)
    store = OnlineStore(connect(settings))
    return store.rebuild(arrived, rows(lake, "labels")), store.ready()
