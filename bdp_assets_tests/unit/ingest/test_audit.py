from __future__ import annotations

import polars as pl

from bdp_assets.contracts.columns import to_frame
from bdp_assets.contracts.records import Alert, Decision, Reason, Severity
from bdp_assets.ingest.audit import audit

REASONS = [Reason("score_at_decline", "text")]


def alert(revision: int) -> Alert:
    return Alert(
        alert_id="c-1:0",
        transaction_id=f"t-{revision}",
        customer_id="c-1",
        ts_ms=revision,
        severity=Severity.HIGH,
        decision=Decision.DECLINE,
        fraud_probability=0.9,
        amount_at_risk_minor=100 * revision,
        reasons=REASONS,
        revision=revision,
        transactions=revision,
        first_ms=1,
        last_ms=revision,
        notify=revision == 1,
    )


def test_an_alert_has_a_row_for_each_transaction_and_no_two() -> None:
    rows = to_frame([alert(1), alert(2)], Alert, "ts_ms")
    assert audit("alerts", rows).is_empty()
    assert not audit("alerts", pl.concat([rows, rows.head(1)])).is_empty()
    again = rows.head(1).with_columns(revision=pl.lit(3, pl.Int64))  # Of another transaction, with its id.
    assert audit("alerts", pl.concat([rows, again])).is_empty()


def test_alerts_from_before_they_could_grow_are_rows_too() -> None:
    old = Alert(
        alert_id="c-1:t-9",
        transaction_id="t-9",
        customer_id="c-1",
        ts_ms=9,
        severity=Severity.HIGH,
        decision=Decision.DECLINE,
        fraud_probability=0.9,
        amount_at_risk_minor=100,
        reasons=REASONS,
    )
    assert audit("alerts", to_frame([alert(1), old], Alert, "ts_ms")).is_empty()
