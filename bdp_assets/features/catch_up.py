"""What a generation lacks of transactions that the stream has published: brought in after the fact.

Idempotent, and safe beside writers: a customer's record comes in once, at its apply sequence, and the tiles
of a merchant take a partition's offsets in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bdp_assets.clients.redis import Redis, run
from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.generations import MERGE, merge_sizes
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import Batch, claim, pack, record_width, transaction_key
from bdp_assets.features.shared import add_transactions


class Applied(NamedTuple):
    """A transaction as it was applied. `coordinates`: of its raw message."""

    transaction: ValidatedTransaction
    apply_seq: int
    coordinates: str


def catch_up(client: Redis, layout: Layout, applied: Sequence[Applied]) -> None:
    """Bring in what is missing, in the order of the topic. Raises StoreUnavailable."""
    transactions, coordinates = [one.transaction for one in applied], [one.coordinates for one in applied]
    batch = Batch.of(transactions, layout.ids)
    ts = batch.columns["ts_ms"]
    # The newest time before each is not known here: merge.lua counts it.
    moments = np.column_stack([np.array([one.apply_seq for one in applied], dtype=np.int64), ts, ts])
    keys = [transaction_key(t.transaction_id) for t in transactions]
    packed, size = pack(moments, keys, batch.kept(layout.ids)), 8 * record_width(layout.ids)
    events: dict[str, list[bytes]] = {}
    claims: dict[str, list[bytes]] = {}
    for i, (t, place) in enumerate(zip(transactions, coordinates, strict=True)):
        events.setdefault(t.customer_id, []).append(packed[i * size : (i + 1) * size])
        claims.setdefault(t.customer_id, []).append(claim(place, t.transaction_id, t.body_hash))
    calls = [
        MERGE.call(
            (layout.events(customer), layout.claims(customer), layout.folded(customer)),
            *merge_sizes(layout),
            *(b"".join(events[customer]), b"".join(claims[customer])),
        )
        for customer in events
    ]
    run(client, calls, [MERGE])
    add_transactions(client, layout, transactions, coordinates)
