"""Labels of callers: checked, written into the spool, answered; on their way to `fraud-labels-v1` then.

Whether anybody knows the transaction is for the stream to say: a label of an unknown one is a dead letter.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from bdp_assets.contracts.codec import encode
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.labels import decode_posted
from bdp_assets.contracts.records import Label
from bdp_assets.contracts.topics import LABELS
from bento.entry import Entry
from bento.errors import ApiError, broken_contract, queue_full
from bento.predictor import CHUNK, Call
from bento.spool.frames import Arrival
from bento.spool.spool import Spool


class Labels:
    """Takes labels, one or many at once. Needs no model, no store and no broker."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    async def take(self, values: Sequence[bytes], call: Call) -> list[Label | ApiError]:
        """What was taken of each value (JSON as it came), in order.

        Raises ApiError 503 where nothing can be written down; taken again, a label changes nothing.
        """
        if not call.dry_run and not self._spool.has_room(values):
            raise queue_full()
        outcomes: list[Label | ApiError] = []
        for start in range(0, len(values), CHUNK):
            if start:
                await asyncio.sleep(0)
            outcomes += self._take(values[start : start + CHUNK], call)
        return outcomes

    def _take(self, values: Sequence[bytes], call: Call) -> list[Label | ApiError]:
        received_ms = time.time_ns() // 1_000_000
        outcomes = [_read(value, received_ms) for value in values]
        arrivals = [
            Arrival(one.customer_id, encode(one), call.headers, received_ms, LABELS.name)
            for one in outcomes
            if isinstance(one, Label)
        ]
        if arrivals and not call.dry_run:
            entry = Entry(self._spool, arrivals)
            with entry:
                entry.settle(dict.fromkeys(range(len(arrivals)), b""))
        return outcomes


def _read(value: bytes, received_ms: int) -> Label | ApiError:
    try:
        return decode_posted(value, received_ms=received_ms)
    except ContractError as error:
        return broken_contract(error)
