"""Which messages of a micro-batch are traced, and as what."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.headers import TRACEPARENT, may_go_on
from bdp_assets.observability.trace_context import is_sampled
from bdp_assets.observability.traced_batch import Above, current
from bdp_assets.streaming.items import Validated

MOST_MESSAGES = 100
"""Of one micro-batch: its length must not depend on how many messages callers have marked as sampled."""


def sampled(batch: Sequence[Message]) -> dict[Hashable, Above]:
    """The first sampled messages, by their places. One without a trace context is in no trace."""
    found: dict[Hashable, Above] = {}
    for message in batch:
        sent = (message.header(TRACEPARENT) or b"").decode("latin-1")
        if may_go_on(sent) and is_sampled(sent):
            found[_place(message)] = _processed(message, sent)
            if len(found) == MOST_MESSAGES:
                break
    return found


def name(items: Sequence[Validated]) -> None:
    """Tell the traces which transactions they are about."""
    if (batch := current()) is not None:
        for item in items:
            batch.decides(_place(item.message), item.transaction.transaction_id)


def _place(message: Message) -> tuple[str, int, int]:
    return message.topic, message.partition, message.offset


def _processed(message: Message, sent: str) -> Above:
    about: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.destination.name": message.topic,
        "messaging.destination.partition.id": str(message.partition),
        "messaging.kafka.offset": message.offset,
    }
    return Above(sent, f"process {message.topic}", "consumer", about)
