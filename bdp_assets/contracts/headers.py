"""Names of the Kafka headers beside `schema-version` (see `codec`)."""

from __future__ import annotations

import re

from bdp_assets.contracts.pan import holds_pan

_CONTEXT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

TRACEPARENT = "traceparent"
"""W3C trace context: of the message's sending, unchanged to the alert; made from the source if missing."""


def trace_id(traceparent: bytes) -> str:
    """Of a well-formed trace context: 32 hex digits."""
    return traceparent[3:35].decode("ascii")


def may_go_on(traceparent: str) -> bool:
    """Whether a trace goes on under this context, which anyone may have sent; if not, a new one begins.

    The standard's form is not enough: a card number has it, too. Of random contexts one in 1,300 looks as if
    it held one: that costs its trace the way on, never a call. Ids of zeros alone are the standard's 'none'.
    """
    return _CONTEXT.fullmatch(traceparent) is not None and not holds_pan(traceparent)


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
