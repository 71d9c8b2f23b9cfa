"""Typed records of the topics, as they travel: one class a topic value, JSON by field name.

Times are UTC epoch milliseconds (`*_ms`); money is integer minor units (`amount_minor` of the transaction's own
currency, `amount_base_minor` of the base currency). The wire shape of `transactions-raw-v1` is in
`contracts/transaction.py`, since only the decoder may see it.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Door(StrEnum):
    """Which way a row came in: backfilled from files, or live through Kafka."""

    HISTORY = "history"
    STREAM = "stream"


class Decision(StrEnum):
    APPROVE = "approve"
    REVIEW = "review"
    DECLINE = "decline"


class Severity(StrEnum):
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class ValidatedTransaction(Struct, frozen=True, kw_only=True):
    """Value of `transactions-validated-v1`: a raw transaction that kept the contract."""

    transaction_id: str
    customer_id: str
    timestamp: str
    """As sent (RFC 3339 with offset)."""
    ts_ms: int
    amount: str
    """Decimal text as sent."""
    currency: str
    amount_minor: int
    amount_base_minor: int
    rates_version: str
    body_hash: str
    """128-bit BLAKE2b over the meaning of the body, hex: equal bodies, equal hash, however they are spelled."""
    merchant_id: str | None = None
    merchant_category: str | None = None
    channel: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    device_id: str | None = None
    ip: str | None = None
    flags: list[str] = []
    door: Door = Door.STREAM


class EnrichedTransaction(ValidatedTransaction, frozen=True, kw_only=True):
    """Value of `transactions-enriched-v1`: with its features as they were served."""

    catalog_version: str
    apply_seq: int
    """The customer's apply sequence: this transaction saw exactly those with a smaller one."""
    features: dict[str, float]


class Reason(Struct, frozen=True):
    """Why a decision came out as it did: a stable code and a sentence."""

    code: str
    text: str


class Prediction(Struct, frozen=True, kw_only=True):
    """Value of `fraud-predictions-v1` and the decision record."""

    transaction_id: str
    customer_id: str
    ts_ms: int
    amount_base_minor: int
    fraud_probability: float
    decision: Decision
    reasons: list[Reason]
    model_name: str
    model_version: str
    policy_version: str
    catalog_version: str
    apply_seq: int
    features: dict[str, float]
    degraded: bool
    decided_by: str
    """`api` or `stream`."""
    decided_at_ms: int
    merchant_id: str | None = None


class Alert(Struct, frozen=True, kw_only=True):
    """Value of `fraud-alerts-v1`."""

    alert_id: str
    transaction_id: str
    customer_id: str
    ts_ms: int
    severity: Severity
    decision: Decision
    fraud_probability: float
    amount_at_risk_minor: int
    reasons: list[Reason]


class Label(Struct, frozen=True, kw_only=True):
    """Value of `fraud-labels-v1`: what became known of a transaction, and when. A reversal is a later label."""

    transaction_id: str
    customer_id: str
    is_fraud: bool
    known_at_ms: int
    merchant_id: str | None = None
    ts_ms: int | None = None


class DeadLetter(Struct, frozen=True, kw_only=True):
    """Value of `transactions-dlq-v1`: a message that was refused, and why; never the value in `message`."""

    source_topic: str
    source_partition: int
    source_offset: int
    received_ms: int
    error: str
    """Stable error code, e.g. `amount_negative`."""
    field: str | None
    message: str
    value_base64: str
    """The original bytes; with a card number in them, masked (BIN and last four) and not replayable."""
    masked: bool = False
    schema_version: int = 1
