"""Raw messages as the broker would hand them out."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from bdp_assets.clients.kafka import Header, Message
from bdp_assets.contracts.topics import RAW

NOW_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z"""
PAN_KEY = b"a key of the tests, and of nobody else"


def body(transaction_id: str = "t-1", customer_id: str = "c-1", **fields: object) -> bytes:
    """A valid raw transaction as JSON; fields are changed, added or (None given) removed."""
    timestamp = datetime.fromtimestamp(NOW_MS / 1000, UTC).isoformat().replace("+00:00", "Z")
    record: dict[str, object] = {
        "transaction_id": transaction_id,
        "customer_id": customer_id,
        "amount": 12.5,
        "timestamp": timestamp,
        "merchant_id": "m-1",
        **fields,
    }
    return json.dumps({name: value for name, value in record.items() if value is not None}).encode()


def raw(
    value: bytes | None, offset: int = 0, partition: int = 0, headers: tuple[Header, ...] = ()
) -> Message:
    """That value on the raw topic."""
    return Message(RAW.name, partition, offset, NOW_MS + offset, b"c-1", value, headers)
