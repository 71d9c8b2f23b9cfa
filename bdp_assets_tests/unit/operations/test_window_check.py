"""Which windows are compared: not those that counted a customer who was erased since."""

from __future__ import annotations

import polars as pl

from bdp_assets.operations.window_check import differences, without_erased
from bdp_assets.streaming.analytics.figures import as_counts, placed, sums

EVENTS = pl.DataFrame(
    {
        "customer_id": ["erased-1", "b", "b"],
        "transaction_id": ["t-1", "t-2", "t-3"],
        "ts_ms": [30_000, 40_000, 40_000_000],
        "stream_ms": [-1, 30_000, 40_000],
        "amount_base_minor": [100, 200, 300],
        "merchant_category": ["grocery", "grocery", "grocery"],
        "country": ["US", "DE", "US"],
        "channel": [None, None, None],
    },
    schema_overrides={"channel": pl.String},
)


def test_groups_that_an_erased_customer_was_counted_in_are_left_out_and_no_others() -> None:
    is_erased = pl.col("customer_id") == "erased-1"
    stored, in_lake = (sums(placed(as_counts(rows))) for rows in (EVENTS, EVENTS.filter(~is_erased)))
    assert not differences(stored, in_lake).is_empty()
    erased = EVENTS.filter(is_erased).drop("stream_ms", "amount_base_minor")
    sides = [without_erased(side, erased) for side in (stored, in_lake)]
    assert differences(*sides).is_empty()
    assert {"US", "DE", "grocery"} == set(sides[0]["member"])
    assert sides[0].filter(member="DE").height == stored.filter(member="DE").height
