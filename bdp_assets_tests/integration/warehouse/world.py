"""Forty days of a small shop floor in the lake, and the same as plain rows to count by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import to_frame
from bdp_assets.contracts.records import (
    Adjustment,
    AdjustmentType,
    Alert,
    DeadLetter,
    Decision,
    Label,
    Prediction,
    Reason,
    Severity,
    ShadowScore,
    ValidatedTransaction,
)

START, DAYS, PER_DAY = datetime(2026, 2, 10, tzinfo=UTC), 40, 6
FIRST, LAST = START.date(), (START + timedelta(days=DAYS - 1)).date()
LABELS_LAST = LAST + timedelta(days=20)
DECIDED_FROM, SHADOW_FROM = 10, 30
"""Days of the world: what is older is history without a decision; the challenger came last."""
CATEGORIES = ("grocery", "travel", "electronics", None)
TAKEN_BACK = 127
"""A transaction that was called fraud, and later was none."""


@dataclass(frozen=True)
class Row:
    """One transaction, and what became of it."""

    number: int

    @property
    def id(self) -> str:
        return f"t-{self.number}"

    @property
    def customer(self) -> str:
        return f"c-{self.number % 5}"

    @property
    def merchant(self) -> str | None:
        return None if self.number % 17 == 0 else f"m-{self.number % 4}"

    @property
    def category(self) -> str | None:
        return CATEGORIES[self.number % 4]

    @property
    def country(self) -> str:
        return ("US", "DE", "FR")[self.number % 3]

    @property
    def at(self) -> datetime:
        return START + timedelta(days=self.number // PER_DAY, hours=self.number % PER_DAY * 4, minutes=5)

    @property
    def ms(self) -> int:
        return int(self.at.timestamp() * 1000)

    @property
    def amount(self) -> int:
        return 1_000 + self.number * 37 % 5_000

    @property
    def called_fraud(self) -> bool:
        return self.number % 20 == 7 or self.number % 60 == 13

    @property
    def fraud(self) -> bool:
        return self.called_fraud and self.number != TAKEN_BACK

    @property
    def decision(self) -> str | None:
        if self.number // PER_DAY < DECIDED_FROM:
            return None
        declined = self.number % 20 == 8 or (self.number % 20 == 7 and self.number % 40 != 27)
        return "decline" if declined else "review" if self.number % 20 == 9 else "approve"

    @property
    def challenger(self) -> str | None:
        if self.number // PER_DAY < SHADOW_FROM:
            return None
        return "decline" if self.called_fraud else self.decision


ROWS = tuple(map(Row, range(DAYS * PER_DAY)))
SCORES = {"approve": 0.01, "review": 0.5, "decline": 0.95}


def fill(lake: Lake) -> None:
    """Every table of the lake that the warehouse reads."""
    lake.append("enriched", to_frame([_transaction(row) for row in ROWS], ValidatedTransaction, "ts_ms"))
    lake.append(
        "predictions", to_frame([_prediction(row) for row in ROWS if row.decision], Prediction, "ts_ms")
    )
    shadow = [_shadow(row) for row in ROWS if row.challenger]
    lake.append("shadow_scores", to_frame(shadow, ShadowScore, "ts_ms"))
    lake.append("labels", labels([label(row, 7, True) for row in ROWS if row.called_fraud]))
    lake.append("labels", labels([label(ROWS[TAKEN_BACK], 12, False)]))
    lake.append(
        "alerts", to_frame([_alert(row) for row in ROWS if row.decision == "decline"], Alert, "ts_ms")
    )
    lake.append("adjustments", to_frame([_refund(ROWS[100])], Adjustment, "ts_ms"))
    refused = [_refused(row) for row in ROWS if row.number % 10 == 0]
    lake.append("quarantined", to_frame(refused, DeadLetter, "received_ms"))


def labels(made: list[Label]) -> pl.DataFrame:
    return to_frame(made, Label, "known_at_ms")


def label(row: Row, days: int, is_fraud: bool) -> Label:
    known_at_ms = row.ms + days * 86_400_000
    return Label(
        transaction_id=row.id,
        customer_id=row.customer,
        is_fraud=is_fraud,
        known_at_ms=known_at_ms,
        merchant_id=row.merchant,
        ts_ms=row.ms,
    )


def _ids(row: Row) -> dict[str, Any]:
    return {"transaction_id": row.id, "customer_id": row.customer, "ts_ms": row.ms}


def _transaction(row: Row) -> ValidatedTransaction:
    return ValidatedTransaction(
        **_ids(row),
        timestamp=row.at.isoformat(),
        amount=f"{row.amount / 100:.2f}",
        currency="USD",
        amount_minor=row.amount,
        amount_base_minor=row.amount,
        rates_version="r",
        body_hash=f"{row.number:032x}",
        merchant_id=row.merchant,
        merchant_category=row.category,
        country=row.country,
        channel="online",
    )


def _prediction(row: Row) -> Prediction:
    assert row.decision
    return Prediction(
        **_ids(row),
        amount_base_minor=row.amount,
        fraud_probability=SCORES[row.decision],
        decision=Decision(row.decision),
        reasons=[Reason(f"score_at_{row.decision}", "text")],
        model_name="fraud_ensemble",
        model_version="3",
        policy_version="p",
        catalog_version="c",
        apply_seq=row.number,
        features={},
        degraded=False,
        decided_by="stream",
        decided_at_ms=row.ms + 40,
        merchant_id=row.merchant,
    )


def _shadow(row: Row) -> ShadowScore:
    assert row.decision and row.challenger
    return ShadowScore(
        **_ids(row),
        amount_base_minor=row.amount,
        decided_by="stream",
        catalog_version="c",
        champion_version="3",
        champion_policy_version="p",
        champion_score=SCORES[row.decision],
        champion_decision=Decision(row.decision),
        challenger_version="4",
        challenger_policy_version="q",
        challenger_score=SCORES[row.challenger],
        challenger_decision=Decision(row.challenger),
    )


def _alert(row: Row) -> Alert:
    return Alert(
        **_ids(row),
        alert_id=f"{row.customer}:{row.number}",
        severity=Severity.HIGH if row.amount > 3_000 else Severity.MEDIUM,
        decision=Decision.DECLINE,
        fraud_probability=0.95,
        amount_at_risk_minor=row.amount,
        reasons=[Reason("score_at_decline", "text")],
        first_ms=row.ms,
        last_ms=row.ms,
    )


def _refund(row: Row) -> Adjustment:
    return Adjustment(
        adjustment_id="a-1",
        type=AdjustmentType.REFUND,
        customer_id=row.customer,
        original_transaction_id=row.id,
        ts_ms=row.ms + 1_000,
    )


def _refused(row: Row) -> DeadLetter:
    return DeadLetter(
        source_topic="transactions-raw-v1",
        source_partition=0,
        source_offset=row.number,
        received_ms=row.ms,
        error="amount_format" if row.number % 20 else "pan_in_field",
        field="amount" if row.number % 20 else "device_id",
        message="text",
        value_base64="",
    )


def on(day: date) -> list[Row]:
    return [row for row in ROWS if row.at.date() == day]
