"""How much a claim of ours moves: the floor's script moves as much."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice

from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.features.online import OnlineStore
from bdp_assets.operations.traffic_journal import Outgoing
from bdp_assets.settings import Settings
from benchmarks.online.floor import Sizes, as_large_as
from benchmarks.online.wire import traffic
from benchmarks.services import connected


def sizes(settings: Settings, records: Iterator[Outgoing], calls: int) -> Sizes:
    """As the store counts it, of so many transactions that come next, one by one: they are claimed."""
    now_ms = time.time_ns() // 1_000_000
    with connected(settings) as client:
        store = OnlineStore(client)
        store.bind()
        coming = iter([decode_transaction(r.value, received_ms=now_ms) for r in islice(records, calls)])
        return as_large_as(client, traffic(client, lambda: store.enrich([next(coming)], [None]), calls))
