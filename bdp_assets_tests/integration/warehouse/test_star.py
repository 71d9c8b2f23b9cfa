"""The star, loaded with the small world: counted by hand, and loaded twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.operations.warehouse.loading import load
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.warehouse import world
from bdp_assets_tests.integration.warehouse.conftest import contents, query

pytestmark = pytest.mark.services
ROWS = world.ROWS
COUNTS = (
    "transactions, amount_base_minor, approved, reviewed, declined, undecided, declined_base_minor, frauds, "
    "fraud_base_minor, frauds_declined"
)
DAILY = (
    f"SELECT event_date, merchant_category, country, {COUNTS} FROM warehouse.daily_figures ORDER BY 1, 2, 3"  # noqa: S608
)
HOURLY = f"SELECT hour, merchant_category, {COUNTS} FROM warehouse.hourly_figures ORDER BY 1, 2"  # noqa: S608


def figures(rows: Sequence[world.Row]) -> tuple[int, ...]:
    def amount(some: Sequence[world.Row]) -> int:
        return sum(row.amount for row in some)

    frauds = [row for row in rows if row.fraud]
    by = {
        made: [row for row in rows if row.decision == made] for made in ("approve", "review", "decline", None)
    }
    return (
        *(len(rows), amount(rows), *(len(some) for some in by.values()), amount(by["decline"])),
        *(len(frauds), amount(frauds), sum(row.decision == "decline" for row in frauds)),
    )


def by_hand(*grain: str) -> list[tuple[Any, ...]]:
    def key(row: world.Row) -> tuple[Any, ...]:
        hour = row.at.replace(minute=0)
        parts = {
            "day": row.at.date(),
            "hour": hour,
            "category": row.category or "unknown",
            "country": row.country,
        }
        return tuple(parts[name] for name in grain)

    return [
        (*each, *figures([row for row in ROWS if key(row) == each])) for each in sorted(set(map(key, ROWS)))
    ]


def test_facts_dimensions_and_figures_are_those_of_the_world(loaded: Settings) -> None:
    assert query(loaded, DAILY) == by_hand("day", "category", "country")
    assert query(loaded, HOURLY) == by_hand("hour", "category")
    facts = {"transactions": 240, "decisions": 180, "predictions": 240, "alerts": 13, "adjustments": 1}
    for table, count in facts.items():
        assert query(loaded, f"SELECT count(*) FROM warehouse.{table}") == [(count,)], table  # noqa: S608
    of_one = [row for row in ROWS if row.merchant == "m-1"]
    member = ("m-1", of_one[0].at, of_one[-1].at, of_one[-1].country, "travel")
    merchants = "SELECT merchant_id, first_at, last_at, country, merchant_category FROM warehouse.merchants"
    assert member in query(loaded, merchants)
    assert query(loaded, "SELECT count(*) FROM warehouse.customers") == [(5,)]
    days = "SELECT iso_week, weekday, is_weekend FROM warehouse.dates WHERE day = '2026-03-01'"
    assert query(loaded, days) == [(9, "Sunday", True)]


def test_loaded_again_in_any_pieces_it_is_the_same(loaded: Settings, world_lake: Lake) -> None:
    before = contents(loaded)
    audited = "SELECT count(*) FROM warehouse.loads"
    count = query(loaded, audited)
    whole = load(loaded, world_lake, world.FIRST, world.LABELS_LAST)
    assert set(whole.tables["changed"]) == {0}
    assert set(load(loaded, world_lake, world.FIRST, world.FIRST).tables["changed"]) == {0}
    assert contents(loaded) == before
    assert query(loaded, audited) == count, "a load that changes nothing is not audited"


def test_a_fact_of_an_unknown_member_or_day_is_refused(loaded: Settings) -> None:
    insert = (
        "INSERT INTO warehouse.transactions (customer_id, transaction_id, occurred_at, merchant_id, "
        "currency, amount_minor, amount_base_minor, rates_version, door) "
        "VALUES (%s, 't', %s, %s, 'USD', 1, 1, 'r', 'stream')"
    )
    at = datetime(2026, 3, 1, tzinfo=UTC)
    for values in (("c-unknown", at, None), ("c-1", at, "m-unknown")):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            query(loaded, insert, values)
    with pytest.raises(psycopg.errors.CheckViolation, match="no partition"):
        query(loaded, insert, ("c-1", datetime(2020, 1, 1, tzinfo=UTC), None))
