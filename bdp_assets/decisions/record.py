"""The decision record and its alert, as they travel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bdp_assets.contracts.records import Alert, Decision, Prediction, Reason, Severity, ValidatedTransaction
from bdp_assets.scoring.bundle import ModelInfo

CRITICAL_AT_RISK_MINOR = 100_000


@dataclass(frozen=True)
class Verdict:
    """What was decided of one transaction."""

    probability: float
    decision: Decision
    reasons: list[Reason]


@dataclass(frozen=True)
class Circumstances:
    """Who decided, when (UTC epoch milliseconds) and with what; `degraded`: on features without history."""

    info: ModelInfo
    policy_version: str
    decided_by: str
    decided_at_ms: int
    degraded: bool = False


def prediction(
    transaction: ValidatedTransaction,
    apply_seq: int,
    features: Mapping[str, float],
    verdict: Verdict,
    circumstances: Circumstances,
) -> Prediction:
    """The record of one decision."""
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
        features=dict(features),
        degraded=circumstances.degraded,
        decided_by=circumstances.decided_by,
        decided_at_ms=circumstances.decided_at_ms,
    )


def alert_for(decided: Prediction) -> Alert | None:
    """The alert that a decision raises: none for an approval. Its id is a function of the transaction."""
    if decided.decision is Decision.APPROVE:
        return None
    return Alert(
        alert_id=f"{decided.customer_id}:{decided.transaction_id}",
        transaction_id=decided.transaction_id,
        customer_id=decided.customer_id,
        ts_ms=decided.ts_ms,
        severity=_severity(decided),
        decision=decided.decision,
        fraud_probability=decided.fraud_probability,
        amount_at_risk_minor=decided.amount_base_minor,
        reasons=decided.reasons,
    )


def _severity(decided: Prediction) -> Severity:
    """Review is medium, decline is high, and critical where much money is at risk."""
    if decided.decision is Decision.REVIEW:
        return Severity.MEDIUM
    return Severity.CRITICAL if decided.amount_base_minor >= CRITICAL_AT_RISK_MINOR else Severity.HIGH
