from __future__ import annotations

import polars as pl

from bdp_assets.operations.warehouse.dimensions import DIMENSIONS

_, MERCHANTS = DIMENSIONS


def test_a_member_has_its_first_and_last_event_of_any_fact_and_what_was_last_known_of_it() -> None:
    bought = pl.DataFrame(
        {
            "merchant_id": ["m", None, "m", "n"],
            "occurred_at": [3, 1, 2, 5],
            "country": ["DE", "US", "FR", None],
            "merchant_category": [None, None, "travel", None],
            "amount": [1, 2, 3, 4],
        }
    )
    decided = pl.DataFrame({"merchant_id": ["m", "o"], "occurred_at": [9, 7]})
    scored = pl.DataFrame({"customer_id": ["c"], "occurred_at": [99]})
    members = MERCHANTS.members([bought, decided, scored]).sort("merchant_id").rows()
    assert members == [("m", 2, 9, "DE", "travel"), ("n", 5, 5, None, None), ("o", 7, 7, None, None)]
