"""Brings a generation of the online store up to what the stream's topics hold.

From where it was filled (see `features/positions.py`) to the very end: transactions as they were applied
(`transactions-enriched-v1`), and labels (`fraud-labels-v1`). Idempotent, and safe beside workers and the
API.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bdp_assets.clients.kafka import Message, stream_range, topic_ids, watermarks
from bdp_assets.clients.redis import Redis
from bdp_assets.contracts.codec import decode_enriched
from bdp_assets.contracts.erasure import IsErased
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.headers import SOURCE
from bdp_assets.contracts.labels import decode_label
from bdp_assets.contracts.records import Label
from bdp_assets.contracts.topics import ENRICHED, LABELS, Topic
from bdp_assets.features import positions
from bdp_assets.features.catch_up import Applied, catch_up
from bdp_assets.features.labelling import apply_labels
from bdp_assets.features.layout import Layout
from bdp_assets.features.positions import Kind
from bdp_assets.settings import Settings
from bdp_assets.streaming.outputs import coordinates

CHUNK = 500
"""Messages in one round trip: it has to be answered within the store's time-out."""

Apply = Callable[[Layout, str, Sequence[Message]], None]


class CatchUp:
    """Raises StoreUnavailable, KafkaUnavailable, KafkaRefused; OffsetsGone where retention was faster."""

    def __init__(self, settings: Settings, client: Redis, is_erased: IsErased) -> None:
        self._settings = settings
        self._client = client
        self._is_erased = is_erased

    def transactions(self, layout: Layout) -> int:
        """Messages that were read."""
        return self._bring(layout, ENRICHED, self._apply_transactions)

    def labels(self, layout: Layout) -> int:
        """Messages that were read. Those that nobody can place are the labels worker's to refuse."""
        return self._bring(layout, LABELS, self._apply_labels)

    def _bring(self, layout: Layout, topic: Topic, apply: Apply) -> int:
        topic_id = topic_ids(self._settings, [topic.name])[topic.name]
        filled = positions.read(self._client, layout, Kind.FILLED, topic_id)
        # The very end: an open transaction of a worker that died may stand before one that is committed.
        marks = watermarks(self._settings, [topic.name], committed=False)
        ends = {partition: end for (_, partition), (_, end) in marks.items()}
        ranges = {(topic.name, p): (start, ends[p]) for p, start in filled.items() if start < ends.get(p, 0)}
        count = 0
        for batch in stream_range(self._settings, ranges):
            for start in range(0, len(batch), CHUNK):
                apply(layout, topic_id, batch[start : start + CHUNK])
            count += len(batch)
        reached = {partition: end for (_, partition), (_, end) in ranges.items()}
        positions.write(self._client, layout, Kind.FILLED, topic_id, reached)
        return count

    def _apply_transactions(self, layout: Layout, _: str, messages: Sequence[Message]) -> None:
        applied = [_applied(message) for message in messages]
        kept = [
            one for one in applied if not self._is_erased(one.transaction.customer_id, one.transaction.ts_ms)
        ]
        if kept:
            catch_up(self._client, layout, kept)

    def _apply_labels(self, layout: Layout, topic_id: str, messages: Sequence[Message]) -> None:
        read = [(_label(message), coordinates(topic_id, message)) for message in messages]
        good = [
            (label, place)
            for label, place in read
            if label is not None and not self._is_erased(label.customer_id, label.ts_ms)
        ]
        apply_labels(self._client, layout, [label for label, _ in good], [place for _, place in good])


def _applied(message: Message) -> Applied:
    record = decode_enriched(message.value or b"")
    return Applied(record, record.apply_seq, (message.header(SOURCE) or b"").decode())


def _label(message: Message) -> Label | None:
    try:
        return decode_label(message.value, received_ms=message.timestamp_ms)
    except ContractError:
        return None
