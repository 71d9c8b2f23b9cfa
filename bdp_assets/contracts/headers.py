"""Names of the Kafka headers beside `schema-version` (see `codec`)."""

from __future__ import annotations

TRACEPARENT = "traceparent"
"""W3C trace context: of the message's sending, unchanged to the alert; made from the source if missing."""


def trace_id(traceparent: bytes) -> str:
    """Of a well-formed trace context: 32 hex digits."""
    return traceparent[3:35].decode("ascii")


SOURCE = "source"
"""`topic-id:partition:offset` of the raw message that this one came from; the ledger is counted by it."""

STEP = "step"
"""On dead letters, what refused it: `validate`, `enrich`, `score`, `label`, `analytics` or `ingest`."""

REPLAY_OF = "replay-of"
"""`topic-id:partition:offset` of the dead letter that this message is a replay of; a refusal keeps it."""

DECISION = "decision"
"""On raw messages of the API: its decision, encoded; the stream publishes it."""

DECISION_PROOF = "decision-proof"
"""That it is the platform's own: see `decisions.carried`."""
