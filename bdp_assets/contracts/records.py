"""Typed records of the topics, as they travel: one class a topic value, JSON by field name.

Times are UTC epoch milliseconds (`*_ms`); money is integer minor units (`amount_minor` of the transaction's
own currency, `amount_base_minor` of the base currency). The wire shape of `transactions-raw-v1` is in
`contracts/wire.py`, since only the decoder may see it.

These classes, the files in `schemas/`, the lake's columns (`columns.py`) and its checks (`frames.py`) say
the same: the last two are derived from here, and a property test compares the schemas.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from bdp_assets.contracts.money import MAX_AMOUNT_MINOR

Id = Annotated[str, Meta(min_length=1, max_length=64)]
EpochMs = Annotated[int, Meta(ge=0)]
Minor = Annotated[int, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Amount = Annotated[int, Meta(ge=1, le=MAX_AMOUNT_MINOR)]
Probability = Annotated[float, Meta(ge=0, le=1)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Hash = Annotated[str, Meta(min_length=32, max_length=32)]


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


class ListName(StrEnum):
    """The list that wins comes first."""

    BLOCK = "block"
    ALLOW = "allow"


class ListKind(StrEnum):
    """Whom an entry of a list is about."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"
    DEVICE = "device"


class ValidatedTransaction(Struct, frozen=True):
    """Value of `transactions-validated-v1`: a raw transaction that kept the contract."""

    transaction_id: Id
    customer_id: Id
    timestamp: str
    """As sent (RFC 3339 with offset)."""
    ts_ms: EpochMs
    amount: str
    """Decimal text as sent."""
    currency: str
    amount_minor: Minor
    amount_base_minor: Minor
    rates_version: str
    body_hash: Hash
    """128-bit BLAKE2b over the body's meaning, hex: equal however numbers and instants are spelled."""
    merchant_id: Id | None = None
    merchant_category: str | None = None
    channel: str | None = None
    country: str | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    device_id: Id | None = None
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


class ListHit(Struct, frozen=True):
    """An entry of a list that was in force for a transaction; why it was made is in the audit alone."""

    entry_id: str
    list: ListName
    kind: ListKind


class Prediction(Struct, frozen=True):
    """Value of `fraud-predictions-v1` and the decision record: with it alone, the decision can be made again.

    What has a default came later than the topic: old records do not have it.
    """

    transaction_id: Id
    customer_id: Id
    ts_ms: EpochMs
    amount_base_minor: Minor
    fraud_probability: Probability
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
    """`api`, `stream` or `batch`."""
    decided_at_ms: EpochMs
    merchant_id: Id | None = None
    currency: str | None = None
    country: str | None = None
    channel: str | None = None
    merchant_category: str | None = None
    rules_version: str | None = None
    """Version of the rule catalog that had its say after the policy."""
    severity: Severity | None = None
    """How urgent it is; none for an approval."""
    list_hits: list[ListHit] = []
    """Entries of the lists that were in force for it, the one that decided first."""
    decision_without_lists: Decision | None = None
    """What model, policy and rules made of it; none where no list had an entry."""


class ShadowScore(Struct, frozen=True, kw_only=True):
    """A live decision, and what a challenger that was not asked makes of the same feature vector."""

    transaction_id: Id
    customer_id: Id
    ts_ms: EpochMs
    amount_base_minor: Minor
    decided_by: str
    catalog_version: str
    """Of the vector that both scored."""
    champion_version: str
    """The version that decided."""
    champion_policy_version: str
    champion_score: Probability
    champion_decision: Decision
    """By model, policy and rules: entries of lists left out, as for the challenger."""
    challenger_version: str
    challenger_policy_version: str
    challenger_score: Probability
    challenger_decision: Decision
    """By the challenger's own policy, and the rules in force when it was scored."""


class Alert(Struct, frozen=True, kw_only=True):
    """Value of `fraud-alerts-v1`: a customer's alert, as a transaction left it.

    A record of a higher revision replaces those of the same `alert_id` before it.
    """

    alert_id: Annotated[str, Meta(min_length=1, max_length=160)]
    transaction_id: Id
    """The transaction that made it grow; so are its time, decision and probability."""
    customer_id: Id
    ts_ms: EpochMs
    severity: Severity
    """The highest so far."""
    decision: Decision
    fraud_probability: Probability
    amount_at_risk_minor: Minor
    """Of all its transactions."""
    reasons: list[Reason]
    """Of all its transactions, the earliest first, up to a bound."""
    revision: Positive = 1
    transactions: Positive = 1
    """How many it has."""
    first_ms: EpochMs | None = None
    """Earliest time of a transaction of it."""
    last_ms: EpochMs | None = None
    """Latest time of a transaction of it."""
    notify: bool = True
    """Whether people should be told: it is new, or more severe than before."""


class Label(Struct, frozen=True, kw_only=True):
    """Value of `fraud-labels-v1`: what became known of a transaction, and when; a reversal comes later."""

    transaction_id: Id
    customer_id: Id
    is_fraud: bool
    known_at_ms: EpochMs
    merchant_id: Id | None = None
    ts_ms: EpochMs | None = None


class AdjustmentType(StrEnum):
    """A refund gives money back; a reversal says that the purchase was never to be charged."""

    REFUND = "refund"
    REVERSAL = "reversal"


class Adjustment(Struct, frozen=True, kw_only=True):
    """Value of `transactions-adjustments-v1`: what takes a purchase back; it is never scored."""

    adjustment_id: Id
    """Unique per customer: the same one again changes nothing."""
    type: AdjustmentType
    customer_id: Id
    original_transaction_id: Id
    ts_ms: EpochMs
    amount_minor: Amount | None = None
    """In the original's currency; none: all of it."""


class DeadLetter(Struct, frozen=True, kw_only=True):
    """Value of `transactions-dlq-v1`: a message that was refused, and why; never the value in `message`."""

    source_topic: str
    """Or `source:NAME`, of a row that was refused at its source."""
    source_partition: int
    source_offset: int
    received_ms: int
    error: str
    """Stable error code, e.g. `out_of_range`."""
    field: str | None
    message: str
    value_base64: str
    """The original bytes; with a card number in them, masked (BIN and last four) and not replayable."""
    masked: bool = False
    pan_hashes: list[str] = []
    """A keyed hash of each number that was masked, which tells equal ones: HMAC-SHA256, 32 hex digits."""
    schema_version: int = 1


class WindowAggregate(Struct, frozen=True, kw_only=True):
    """Value of `transactions-analytics-v1`: figures of one group in one window of event time.

    Of those for the same group and window the one of the highest revision stands: several workers write them,
    and they may overtake each other. Money is in minor units of the base currency.
    """

    group: str
    """`dimension:member`, e.g. `merchant_category:grocery`."""
    dimension: str
    """`merchant_category`, `country` or `channel`."""
    member: str
    window: str
    """Name of the window, e.g. `tumbling_1m`."""
    start_ms: EpochMs
    """Included."""
    end_ms: EpochMs
    """Not included."""
    count: Count
    volume_base_minor: Minor
    mean_base_minor: Annotated[float, Meta(ge=0)]
    max_base_minor: Minor
    high_value_count: Count
    fraud_count: Count = 0
    """Transactions that are known fraud by now."""
    fraud_rate: Probability = 0.0
    """`fraud_count` of `count`."""
    revision: Count = 0
    """Grows with each change of these figures."""
