"""Loads into an empty warehouse: late labels, months that come and go, migrations with data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import polars as pl
import psycopg
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import Connection, connect, session, upsert
from bdp_assets.monitoring.quality.findings import Check, Finding, as_frame, score_frame, scores
from bdp_assets.operations import migrations
from bdp_assets.operations.warehouse.loading import load
from bdp_assets.operations.warehouse.months import FINDINGS
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.warehouse import world
from bdp_assets_tests.integration.warehouse.conftest import contents, query

pytestmark = pytest.mark.services
FIGURES = "SELECT * FROM warehouse.daily_figures ORDER BY 1, 2, 3, 4"


def test_a_label_changes_the_figures_of_its_transactions_day(settings: Settings, lake: Lake) -> None:
    world.fill(lake)
    load(settings, lake, world.FIRST, world.LABELS_LAST)
    row = next(row for row in world.ROWS if row.decision == "approve" and not row.called_fraud)
    frauds = f"SELECT sum(frauds) FROM warehouse.daily_figures WHERE event_date = '{row.at.date()}'"  # noqa: S608
    [(before,)] = query(settings, frauds)
    for days, is_fraud, expected in ((30, True, before + 1), (31, False, before)):
        late = world.label(row, days, is_fraud)
        known = datetime.fromtimestamp(late.known_at_ms / 1000, UTC).date()
        lake.append("labels", world.labels([late]))
        changed = dict(load(settings, lake, known, known).tables.select("table", "changed").iter_rows())
        assert changed["warehouse.daily_figures"] == changed["warehouse.hourly_figures"] == 1
        assert query(settings, frauds) == [(expected,)]
    audit = (
        "SELECT first_day, changed FROM warehouse.loads WHERE target = 'warehouse.labels' ORDER BY load_id"
    )
    assert query(settings, audit)[-1] == (known, 1)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        query(settings, "DELETE FROM warehouse.loads")


def test_an_alert_is_not_taken_back_by_a_day_that_is_loaded_again(settings: Settings, lake: Lake) -> None:
    world.fill(lake)
    load(settings, lake, world.FIRST, world.LAST)
    query(
        settings, "UPDATE warehouse.alerts SET revision = 9, severity = 'critical' WHERE alert_id = 'c-3:68'"
    )
    load(settings, lake, world.FIRST, world.LAST)
    standing = "SELECT revision, severity FROM warehouse.alerts WHERE alert_id = 'c-3:68'"
    assert query(settings, standing) == [(9, "critical")]


def partitions(settings: Settings) -> set[str]:
    return {
        name
        for (name,) in query(settings, "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
    }


def of(*months: str) -> set[str]:
    return {f"{fact}_{month}" for fact in ("transactions", "predictions", "decisions") for month in months}


def insert(connection: Connection, table: str, row: Mapping[str, object]) -> None:
    places = ", ".join(["%s"] * len(row))
    statement = f"INSERT INTO warehouse.{table} ({', '.join(row)}) VALUES ({places})"  # noqa: S608 - ours
    connection.execute(statement, list(row.values()))


def leave_findings(settings: Settings, *days: date) -> None:
    """As the report of quality does, of one table and check; and of drift and performance."""
    found = [Finding("raw", day, Check.NULLS, "rows", checked=10, failed=0) for day in days]
    judged = pl.lit(datetime(2026, 3, 2, tzinfo=UTC)).alias("judged_at")
    drift = {"model_version": "1", "quantity": "amount", "segment": "all", "kind": "feature", "rows": 1}
    statistics = dict.fromkeys(("psi", "ks", "js_distance", "missing", "p_value", "adjusted_p"), 0.5)
    performance = {"role": "champion", "model_version": "1", "segment": "all", "member": "all"}
    counts = dict.fromkeys(
        ("transactions", "frauds", "flagged", "frauds_flagged", "saved_minor", "lost_minor", "spent_minor"), 1
    )
    decay = {"model_version": "1", "is_decayed": False, "transactions": 1, "frauds": 1}
    decay |= dict.fromkeys(("registered", "matured", "low", "high", "bound"), 0.5)
    with session(settings) as connection:
        for day in days:
            insert(connection, "drift", {"event_date": day, **drift, **statistics, "drifted": False})
            judged_days = {"as_of": day, "first_day": day, "last_day": day}
            insert(connection, "model_performance", {**judged_days, **performance, **counts})
            insert(connection, "model_decay", {"as_of": day, **decay})
        checks, made = as_frame(found).with_columns(judged), score_frame(scores(found)).with_columns(judged)
        upsert(connection, "warehouse.quality_checks", checks, ["table_name", "day", "check_name"])
        upsert(connection, "warehouse.quality_scores", made, ["table_name", "day"])


def test_months_are_made_ahead_kept_as_long_as_asked_and_not_loaded_afterwards(
    settings: Settings, lake: Lake
) -> None:
    world.fill(lake)
    first = load(settings, lake, world.FIRST, world.LABELS_LAST)
    assert partitions(settings) == set(first.made) == of("2026_02", "2026_03", "2026_04", "2026_05")
    kept = query(settings, FIGURES)
    leave_findings(settings, date(2026, 2, 28), date(2026, 3, 1))
    one_month = settings.model_copy(update={"warehouse_months": 1})
    pruned = load(one_month, lake, world.LAST, world.LAST)
    assert (set(pruned.dropped), pruned.findings_dropped) == (of("2026_02"), 5)
    for table, day in FINDINGS.items():
        assert query(settings, f"SELECT {day} FROM warehouse.{table}") == [(date(2026, 3, 1),)]  # noqa: S608
    assert query(settings, "SELECT min(event_date) FROM warehouse.transactions") == [(date(2026, 3, 1),)]
    again = load(one_month, lake, world.FIRST, world.LABELS_LAST)
    assert again.days_passed_over == 19, "those of February"
    assert (of("2026_02") & partitions(settings), again.dropped) == (set(), [])
    assert query(settings, FIGURES) == kept, "figures stay"


def test_migrations_go_down_and_up_with_data(settings: Settings, lake: Lake) -> None:
    world.fill(lake)
    load(settings, lake, world.FIRST, world.LABELS_LAST)
    kept = ("decisions", "labels", "alerts", "adjustment_states", "quarantined")
    before = {name: contents(settings)[name] for name in kept if name != "decisions"}
    decisions = "SELECT transaction_id, occurred_at, reasons, list_hits FROM warehouse.decisions ORDER BY 1"
    decided, figures = query(settings, decisions), query(settings, FIGURES)
    migrations.downgrade(settings, "0006")
    assert (query(settings, decisions), partitions(settings)) == (decided, set())
    assert {name: contents(settings)[name] for name in before} == before
    assert migrations.upgrade(settings).up_to_date
    assert query(settings, decisions) == decided
    assert partitions(settings) >= {"decisions_2026_02", "decisions_2026_03"}
    assert {name: contents(settings)[name] for name in before} == before
    changed = dict(
        load(settings, lake, world.FIRST, world.LABELS_LAST).tables.select("table", "changed").iter_rows()
    )
    assert (changed["warehouse.transactions"], changed["warehouse.decisions"]) == (240, 0)
    assert query(settings, FIGURES) == figures
    assert migrations.downgrade(settings, "base").current is None
    assert not migrations.revisions(settings).up_to_date
    with connect(settings) as connection:
        assert connection.execute("SELECT to_regnamespace('warehouse')").fetchone() == (None,)
    assert migrations.upgrade(settings).up_to_date
