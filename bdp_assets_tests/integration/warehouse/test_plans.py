"""Plans of docs/warehouse.md's questions, where there is enough to make a plan worth it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from bdp_assets.clients.postgres import connect
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.warehouse.conftest import query
from bdp_assets_tests.integration.warehouse.questions import questions

pytestmark = pytest.mark.services
MANY = 200_000

# A year of transactions: one in ten has a label, one in a hundred is fraud. Foreign keys are not looked at.
_FILL = """
    SET session_replication_role = replica;
    SET synchronous_commit = off;
    CREATE TEMP TABLE made AS
        SELECT n, 'c-' || n % 5000 AS customer_id, 't-' || n AS transaction_id,
               'm-' || n % 800 AS merchant_id,
               timestamptz '2025-04-01 00:00Z' + n * interval '1 year' / {many} AS occurred_at,
               CASE n % 50 WHEN 0 THEN 'decline' WHEN 1 THEN 'review' ELSE 'approve' END AS decision
        FROM generate_series(1, {many} - 1) AS n;
    INSERT INTO warehouse.transactions (customer_id, transaction_id, occurred_at, merchant_id, currency,
            amount_minor, amount_base_minor, rates_version, door)
        SELECT customer_id, transaction_id, occurred_at, merchant_id, 'USD', n, n, 'r', 'stream' FROM made;
    INSERT INTO warehouse.decisions (customer_id, transaction_id, occurred_at, merchant_id, amount_base_minor,
            fraud_probability, decision, reasons, model_name, model_version, policy_version, catalog_version,
            apply_seq, degraded, decided_by, decided_at)
        SELECT customer_id, transaction_id, occurred_at, merchant_id, n, 0.1, decision, '[]', 'm', '3', 'p',
               'c', n, false, 'stream', occurred_at FROM made;
    INSERT INTO warehouse.predictions (customer_id, transaction_id, occurred_at, role, model_version,
            policy_version, catalog_version, fraud_probability, decision)
        SELECT customer_id, transaction_id, occurred_at, role, '3', 'p', 'c', 0.1, decision
        FROM made, (VALUES ('champion'), ('challenger')) AS roles (role)
        WHERE occurred_at >= '2026-01-01 00:00Z';
    INSERT INTO warehouse.labels SELECT customer_id, transaction_id, occurred_at + interval '7 days',
            n % 100 = 0, merchant_id, occurred_at FROM made WHERE n % 10 = 0;
    INSERT INTO warehouse.alerts SELECT transaction_id, customer_id, transaction_id, occurred_at, 'high',
            decision, 0.9, n, '[]' FROM made WHERE n % 10 = 0;
    INSERT INTO warehouse.quarantined SELECT 't', 0, n, occurred_at,
            CASE WHEN n % 100 = 0 THEN 'pan_in_field' ELSE 'amount_format' END, 'f', 'm', false
        FROM made WHERE n % 10 = 0;
    INSERT INTO warehouse.daily_figures SELECT day, category, 'c-' || country, channel,
            1, 1, 1, 0, 0, 0, 0, 0, 0, 0
        FROM warehouse.dates, unnest(ARRAY['grocery', 'travel', 'electronics', 'unknown']) AS category,
             generate_series(1, 10) AS country, unnest(ARRAY['online', 'pos']) AS channel;
    INSERT INTO warehouse.hourly_figures SELECT day + hour * interval '1 hour', 'c-' || category,
            1, 1, 1, 0, 0, 0, 0, 0, 0, 0
        FROM warehouse.dates, generate_series(0, 23) AS hour, generate_series(1, 10) AS category;
"""

_PARENTS = "SELECT inhrelid::regclass::text, inhparent::regclass::text FROM pg_inherits"


@pytest.fixture
def a_year(settings: Settings) -> Settings:
    """Twelve months of 200,000 transactions, made in the server."""
    with connect(settings) as connection:
        for month in range(12):
            first = date(2025 + (month + 3) // 12, (month + 3) % 12 + 1, 1)
            connection.execute("SELECT warehouse.make_month(%s)", [first])
        connection.execute(_FILL.format(many=MANY))  # type: ignore[arg-type]
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE")
    return settings


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def test_every_question_is_answered_by_the_index_that_it_names(a_year: Settings) -> None:
    assert query(a_year, "SELECT count(*) FROM warehouse.transactions") == [(MANY - 1,)]
    parents = {child.split(".")[-1]: parent.split(".")[-1] for child, parent in query(a_year, _PARENTS)}
    for question in questions():
        [(explained,)] = query(a_year, f"EXPLAIN (FORMAT JSON) {question.sql}")
        plan = list(nodes(explained[0]["Plan"]))
        used = {node["Index Name"] for node in plan if "Index Cond" in node}
        named = {parents.get(index, index) for index in used}
        assert question.indexes <= named, f"question {question.number}: {named}"
        scanned = {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"}
        assert scanned <= {"dates"}, f"question {question.number}"
