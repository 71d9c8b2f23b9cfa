"""A decision that travels with its transaction's message, so that whoever publishes it need not decide again.

The raw topic has many writers. A keyed digest (HMAC-SHA256, RFC 2104) of message and decision tells which
decisions are the platform's own; others are not looked at.
"""

from __future__ import annotations

import hmac
from typing import Protocol

from bdp_assets.contracts.headers import DECISION, DECISION_PROOF

_PURPOSE = b"decision\0"


class Carrier(Protocol):
    """A Kafka message."""

    @property
    def value(self) -> bytes | None: ...
    def header(self, name: str) -> bytes | None: ...


def proof(key: bytes, value: bytes, decision: bytes) -> bytes:
    """What goes beside a decision (encoded) about a message's value."""
    body = len(value).to_bytes(8, "little") + value + decision
    return hmac.digest(key, _PURPOSE + body, "sha256")


def carried(message: Carrier, key: bytes) -> bytes | None:
    """The decision that a message carries, encoded; None where it has none, or none that is proven."""
    decision, proven = message.header(DECISION), message.header(DECISION_PROOF)
    if decision is None or proven is None:
        return None
    return decision if hmac.compare_digest(proven, proof(key, message.value or b"", decision)) else None
