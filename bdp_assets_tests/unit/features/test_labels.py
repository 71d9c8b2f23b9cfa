from __future__ import annotations

import polars as pl
import pytest

from bdp_assets.features.labels import beside

KNOWN = pl.DataFrame({"customer_id": ["c-1", "c-2"], "transaction_id": ["t-1", "t-1"]})
COLUMNS = ("customer_id", "transaction_id", "is_fraud", "known_at_ms", "merchant_id", "ts_ms")


@pytest.mark.parametrize(
    ("label", "merchants"),
    [
        (("c-1", "t-2", True, 9, "m-1", 5), ["m-1"]),
        (("c-3", "t-1", True, 9, "m-1", 5), ["m-1"]),
        (("c-1", "t-1", True, 9, "m-1", 5), []),
        (("c-1", "t-2", False, 9, "m-1", 5), []),
        (("c-1", "t-2", True, 9, None, 5), []),
        (("c-1", "t-2", True, 9, "m-1", None), []),
    ],
)
def test_beside_the_transactions_are_whole_frauds_of_others(
    label: tuple[object, ...], merchants: list[str]
) -> None:
    labels = pl.DataFrame([label], COLUMNS, orient="row")
    assert beside(KNOWN, labels)["merchant_id"].to_list() == merchants
