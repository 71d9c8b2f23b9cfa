"""Dead letters as the stream makes them."""

from __future__ import annotations

from functools import partial

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.topics import DLQ
from bdp_assets.operations.dead_letters.entries import Entry, entries_of
from bdp_assets.streaming import outputs
from bdp_assets.streaming.items import Dead
from bdp_assets.streaming.steps import validate
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY


def dead(message: Message, refused: Dead | None = None) -> Entry:
    """The letter of a message that validation (or else what `refused` says) refuses, at its own offset."""
    if refused is None:
        _, (refused,) = validate([message])
    headers = outputs.headers(partial(outputs.coordinates, "TOPIC"))
    (record,) = outputs.dead_records([refused], headers, PAN_KEY)
    sent = Message(DLQ.name, 0, message.offset, NOW_MS, record.key.encode(), record.value, record.headers)
    (entry,) = entries_of([sent])
    return entry
