from __future__ import annotations

import polars as pl

from bdp_assets.operations.warehouse.facts import FACTS

ALERTS = next(fact for fact in FACTS if fact.source == "alerts")


def test_of_an_alert_the_highest_revision_comes_last_so_that_it_stands() -> None:
    rows = pl.DataFrame({"alert_id": ["a", "b", "a", "a"], "revision": [3, 1, 1, 2]})
    kept = ALERTS.of(rows).unique(ALERTS.key, keep="last", maintain_order=True)
    assert dict(kept.select("alert_id", "revision").iter_rows()) == {"a": 3, "b": 1}


def test_a_table_from_before_a_column_has_nulls_there() -> None:
    rows = pl.DataFrame({"alert_id": ["a"], "ts_ms": [1_000]})
    assert ALERTS.of(rows).select("revision", "first_at").row(0) == (None, None)
