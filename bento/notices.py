"""What callers say of transactions (labels, adjustments): checked, written into the spool, answered.

It is on its way to its topic then. Whether anybody knows the transaction is for others to say.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from bdp_assets.contracts.codec import encode
from bdp_assets.contracts.erasure import CurrentTombstones, no_tombstones, paid_ms
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.records import Adjustment, Label
from bdp_assets.contracts.topics import Topic
from bento.calls import Call
from bento.entry import Entry
from bento.errors import ApiError, broken_contract, customer_erased, queue_full
from bento.predictor import CHUNK
from bento.spool.frames import Arrival
from bento.spool.spool import Spool

NoticeT = TypeVar("NoticeT", Label, Adjustment)
Read_co = TypeVar("Read_co", covariant=True)


class Read(Protocol[Read_co]):
    """Bytes in, record or ContractError out; `received_ms` is the clock (UTC epoch milliseconds)."""

    def __call__(self, value: bytes, *, received_ms: int) -> Read_co: ...


class Notices(Generic[NoticeT]):
    """Takes notices of one topic, one or many at once. Needs no model, no store and no broker."""

    def __init__(
        self,
        spool: Spool,
        topic: Topic,
        read: Read[NoticeT],
        tombstones: CurrentTombstones = no_tombstones,
    ) -> None:
        self._spool = spool
        self._topic = topic.name
        self._decode: Read[NoticeT] = read
        self._tombstones = tombstones

    async def take(self, values: Sequence[bytes], call: Call) -> list[NoticeT | ApiError]:
        """What was taken of each value (JSON as it came), in order.

        Raises ApiError 503 where nothing can be written down; taken again, a notice changes nothing.
        """
        if not call.dry_run and not self._spool.has_room(values):
            raise queue_full()
        outcomes: list[NoticeT | ApiError] = []
        for start in range(0, len(values), CHUNK):
            if start:
                await asyncio.sleep(0)
            outcomes += self._take(values[start : start + CHUNK], call)
        return outcomes

    def _take(self, values: Sequence[bytes], call: Call) -> list[NoticeT | ApiError]:
        received_ms = time.time_ns() // 1_000_000
        outcomes = [self._read(value, received_ms) for value in values]
        arrivals = [
            Arrival(one.customer_id, encode(one), call.headers, received_ms, self._topic)
            for one in outcomes
            if not isinstance(one, ApiError)
        ]
        if arrivals and not call.dry_run:
            entry = Entry(self._spool, arrivals)
            with entry:
                entry.settle(dict.fromkeys(range(len(arrivals)), b""))
        return outcomes

    def _read(self, value: bytes, received_ms: int) -> NoticeT | ApiError:
        try:
            notice = self._decode(value, received_ms=received_ms)
        except ContractError as error:
            return broken_contract(error)
        is_erased = self._tombstones().cover(notice.customer_id, paid_ms(notice))
        return customer_erased() if is_erased else notice
