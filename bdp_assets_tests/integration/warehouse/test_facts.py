from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import WarehouseRefused, WarehouseUnavailable, connect
from bdp_assets.contracts.columns import to_frame
from bdp_assets.contracts.records import (
    Adjustment,
    AdjustmentType,
    Alert,
    Decision,
    Prediction,
    Reason,
    Severity,
)
from bdp_assets.operations import migrations
from bdp_assets.operations.decision_records.adjustments import adjustments_of, of_unknown_originals
from bdp_assets.operations.decision_records.finding import DecisionUnknown, Wanted, find
from bdp_assets.operations.warehouse.dimensions import DIMENSIONS
from bdp_assets.operations.warehouse.facts import FACTS
from bdp_assets.operations.warehouse.figures import FIGURES
from bdp_assets.operations.warehouse.loading import load
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.warehouse.conftest import query

pytestmark = pytest.mark.services
DAY = date(2026, 3, 1)
DAY_MS = 1_772_323_200_000


def predictions(**fields: Any) -> pl.DataFrame:
    made = {
        "transaction_id": "t-1",
        "customer_id": "c-1",
        "ts_ms": DAY_MS + 1_500,
        "amount_base_minor": 1250,
        "fraud_probability": 0.25,
        "decision": Decision.REVIEW,
        "reasons": [Reason("score_at_review", 'text with "quotes", a tab\t and a line\nend')],
        "model_name": "fraud_ensemble",
        "model_version": "3",
        "policy_version": "p",
        "catalog_version": "c",
        "apply_seq": 1,
        "features": {},
        "degraded": False,
        "decided_by": "stream",
        "decided_at_ms": DAY_MS + 2_000,
        **fields,
    }
    return to_frame([Prediction(**made)], Prediction, "ts_ms")


def test_a_decision_arrives_with_its_types(settings: Settings, lake: Lake) -> None:
    lake.append("predictions", predictions())
    load(settings, lake, DAY, DAY)
    (row,) = query(
        settings,
        "SELECT transaction_id, occurred_at, reasons -> 0 ->> 'code', fraud_probability, merchant_id, "
        "degraded FROM warehouse.decisions",
    )
    assert row == ("t-1", datetime(2026, 3, 1, 0, 0, 1, 500_000, UTC), "score_at_review", 0.25, None, False)


def test_a_decision_is_found_by_the_day_that_the_warehouse_knows(settings: Settings, lake: Lake) -> None:
    """And shown without its features where the lake has lost it."""
    ours = settings.model_copy(update={"lake_url": lake.url})
    features = {"amount": 1.0}
    frame = pl.concat([predictions(features=features), predictions(customer_id="c-2", features=features)])
    lake.append("predictions", frame)
    load(settings, lake, DAY, DAY)
    found = find(ours, Wanted("t-1", "c-2"))
    assert (found.where, found.record.features) == ("lake", features)
    with pytest.raises(DecisionUnknown, match="--customer"):
        find(ours, Wanted("t-1", None))
    with pytest.raises(DecisionUnknown, match="No decision"):
        find(ours, Wanted("t-2", None))
    lost = ours.model_copy(update={"lake_url": f"{lake.url}-lost"})
    bare = find(lost, Wanted("t-1", "c-2"))
    assert bare == (msgspec.structs.replace(found.record, features={}), "warehouse")


def test_the_same_day_again_changes_nothing_and_a_changed_row_takes_its_place(
    settings: Settings, lake: Lake
) -> None:
    lake.append("predictions", predictions())
    assert changed(settings, lake)["warehouse.decisions"] == 1
    assert changed(settings, lake)["warehouse.decisions"] == 0
    lake.replace("predictions", predictions(fraud_probability=0.75), "transaction_id = 't-1'")
    assert changed(settings, lake)["warehouse.decisions"] == 1
    assert query(settings, "SELECT fraud_probability FROM warehouse.decisions") == [(0.75,)]


def test_a_row_the_warehouse_refuses_leaves_it_as_it_was(settings: Settings, lake: Lake) -> None:
    lake.append(
        "predictions", pl.concat([predictions(), predictions(transaction_id="t-2", fraud_probability=2.0)])
    )
    with pytest.raises(WarehouseRefused):
        load(settings, lake, DAY, DAY)
    assert query(settings, "SELECT count(*) FROM warehouse.decisions") == [(0,)]


def alert(revision: int, **fields: Any) -> pl.DataFrame:
    made = {
        "alert_id": "c-1:0",
        "transaction_id": f"t-{revision}",
        "customer_id": "c-1",
        "ts_ms": DAY_MS + revision,
        "severity": Severity.HIGH,
        "decision": Decision.DECLINE,
        "fraud_probability": 0.9,
        "amount_at_risk_minor": 100 * revision,
        "reasons": [Reason("score_at_decline", "text")],
        "revision": revision,
        "transactions": revision,
        "first_ms": DAY_MS + 1,
        "last_ms": DAY_MS + revision,
        **fields,
    }
    return to_frame([Alert(**made)], Alert, "ts_ms")


def test_of_an_alert_the_highest_revision_stands(settings: Settings, lake: Lake) -> None:
    lake.append("alerts", pl.concat([alert(2), alert(3), alert(1)]))
    assert changed(settings, lake)["warehouse.alerts"] == 1
    standing = "SELECT alert_id, revision, amount_at_risk_minor, last_at FROM warehouse.alerts"
    last = datetime(2026, 3, 1, 0, 0, 0, 3_000, UTC)
    assert query(settings, standing) == [("c-1:0", 3, 300, last)]
    assert changed(settings, lake)["warehouse.alerts"] == 0


def test_alerts_from_before_they_could_grow_load_beside_new_ones(settings: Settings, lake: Lake) -> None:
    newer = ["revision", "transactions", "first_ms", "last_ms", "notify"]
    lake.append("alerts", alert(1, alert_id="old").drop(newer))
    assert changed(settings, lake)["warehouse.alerts"] == 1
    lake.append("alerts", alert(1))
    assert changed(settings, lake)["warehouse.alerts"] == 1
    kept = query(settings, "SELECT alert_id, revision FROM warehouse.alerts ORDER BY alert_id")
    assert kept == [("c-1:0", 1), ("old", None)]


def table_names() -> set[str]:
    return {each.table for each in (*DIMENSIONS, *FACTS, *FIGURES)}


def test_every_table_loads_from_an_empty_lake(settings: Settings, lake: Lake) -> None:
    assert changed(settings, lake) == dict.fromkeys(table_names(), 0)


def test_a_server_that_is_away_says_what_to_look_at(tmp_path: Path) -> None:
    away = Settings(postgres_url="postgresql://nobody:pw-that-stays-secret@127.0.0.1:1/bdp", home=tmp_path)
    for attempt in (connect, migrations.revisions):
        with pytest.raises(WarehouseUnavailable, match="bdp status") as error:
            attempt(away)
        assert "secret" not in str(error.value)


def changed(settings: Settings, lake: Lake) -> dict[str, int]:
    return dict(load(settings, lake, DAY, DAY).tables.select("table", "changed").iter_rows())


def refund(ts_ms: int, amount_minor: int) -> pl.DataFrame:
    made = Adjustment(
        adjustment_id="a-1",
        type=AdjustmentType.REFUND,
        customer_id="c-1",
        original_transaction_id="t-1",
        ts_ms=ts_ms,
        amount_minor=amount_minor,
    )
    return to_frame([made], Adjustment, "ts_ms")


@pytest.mark.parametrize("later_ms", [1_000, 86_400_000], ids=["the same day", "the next month"])
def test_a_refund_that_was_put_right_stays_so_however_often_its_days_are_loaded(
    settings: Settings, lake: Lake, later_ms: int
) -> None:
    end = date(2026, 3, 31)
    end_ms = DAY_MS + 30 * 86_400_000
    first, last = end, date(2026, 4, 1)
    for row in (refund(end_ms, 10_000), refund(end_ms + later_ms, 50)):
        lake.append("adjustments", row)
    for days in ((first, last), (first, first), (first, last)):
        load(settings, lake, *days)
        assert [one.amount_minor for one in adjustments_of(settings, Wanted("t-1", "c-1"))] == [50]


def test_a_reversal_stands_beside_its_original_and_one_of_an_unknown_is_listed(
    settings: Settings, lake: Lake
) -> None:
    lake.append("predictions", predictions())
    made = [
        Adjustment(
            adjustment_id=f"a-{number}",
            type=AdjustmentType.REVERSAL,
            customer_id="c-1",
            original_transaction_id=f"t-{number}",
            ts_ms=DAY_MS + 3_000,
        )
        for number in (1, 2, 2)
    ]
    lake.append("adjustments", to_frame(made, Adjustment, "ts_ms"))
    load(settings, lake, DAY, DAY)
    [beside] = adjustments_of(settings, Wanted("t-1", None))
    assert (beside.adjustment_id, beside.type, beside.amount_minor) == ("a-1", "reversal", None)
    assert beside.occurred_at == datetime(2026, 3, 1, 0, 0, 3, tzinfo=UTC)
    assert [one.adjustment_id for one in of_unknown_originals(settings, 10)] == ["a-2"]
    lake.append("predictions", predictions(transaction_id="t-2"))
    load(settings, lake, DAY, DAY)
    assert of_unknown_originals(settings, 10) == []
