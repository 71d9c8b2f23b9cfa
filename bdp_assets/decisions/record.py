"""The decision record, as it travels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from bdp_assets.contracts.records import (
    Decision,
    ListHit,
    Prediction,
    Reason,
    Severity,
    ValidatedTransaction,
)
from bdp_assets.scoring.bundle import ModelInfo


class Verdict(NamedTuple):
    """What was decided of one transaction."""

    probability: float
    decision: Decision
    reasons: list[Reason]
    severity: Severity | None
    """None for an approval."""
    list_hits: Sequence[ListHit] = ()
    """Entries of lists that decided it."""
    without_lists: Decision | None = None
    """What it would be without them."""


class Circumstances(Struct, frozen=True):
    """Who decided, and with what; `degraded`: on features without history."""

    info: ModelInfo
    policy_version: str
    rules_version: str
    decided_by: str
    degraded: bool = False


def prediction(  # noqa: PLR0913 - the parts of a record
    transaction: ValidatedTransaction,
    apply_seq: int,
    features: dict[str, float],
    verdict: Verdict,
    circumstances: Circumstances,
    *,
    decided_at_ms: int,
) -> Prediction:
    """The record of one decision, made at `decided_at_ms` (UTC epoch milliseconds); it keeps `features`."""
    return Prediction(
        transaction_id=transaction.transaction_id,
        customer_id=transaction.customer_id,
        merchant_id=transaction.merchant_id,
        ts_ms=transaction.ts_ms,
        amount_base_minor=transaction.amount_base_minor,
        fraud_probability=verdict.probability,
        decision=verdict.decision,
        reasons=verdict.reasons,
        model_name=circumstances.info.name,
        model_version=circumstances.info.version,
        policy_version=circumstances.policy_version,
        catalog_version=circumstances.info.catalog_version,
        apply_seq=apply_seq,
        features=features,
        degraded=circumstances.degraded,
        decided_by=circumstances.decided_by,
        decided_at_ms=decided_at_ms,
        currency=transaction.currency,
        country=transaction.country,
        channel=transaction.channel,
        merchant_category=transaction.merchant_category,
        rules_version=circumstances.rules_version,
        severity=verdict.severity,
        list_hits=list(verdict.list_hits),
        decision_without_lists=verdict.without_lists,
    )
