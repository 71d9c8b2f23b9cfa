from __future__ import annotations

import json

import polars as pl
import pytest

from bdp_assets.contracts.columns import FEATURES
from bdp_assets.features.catalog import AMOUNT, CATALOG
from bdp_assets.monitoring.performance.segments import SEGMENTS, parts, with_segments


def row(amount: int = 100, **features: float) -> dict[str, object]:
    return {AMOUNT: amount, FEATURES: json.dumps(features)}


@pytest.mark.parametrize(
    ("amount", "band"),
    [
        (0, "below_20"),
        (1_999, "below_20"),
        (2_000, "20_to_100"),
        (9_999, "20_to_100"),
        (10_000, "from_100"),
        (9_000_000, "from_100"),
    ],
)
def test_an_amount_is_in_one_band(amount: int, band: str) -> None:
    assert with_segments(pl.DataFrame([row(amount)]))["amount"].to_list() == [band]


def test_merchant_and_night_are_as_the_features_say_that_were_served() -> None:
    assert {"customer_merchant_is_new", "is_night"} <= set(CATALOG.names)
    rows = [
        row(customer_merchant_is_new=1.0, is_night=0.0),
        row(customer_merchant_is_new=0.0, is_night=1.0),
        row(),
    ]
    found = with_segments(pl.DataFrame(rows))
    assert found.select("merchant", "time").rows() == [
        ("new", "day"),
        ("known", "night"),
        ("unknown", "unknown"),
    ]
    assert FEATURES not in found.columns


def test_each_segment_divides_the_rows_among_its_members_and_nobody_else() -> None:
    rows = [row(n * 700, is_night=float(n % 2)) for n in range(90)]
    found = list(parts(with_segments(pl.DataFrame(rows))))
    assert (found[0].segment, len(found[0].rows)) == ("all", 90)
    for segment in SEGMENTS:
        mine = [part for part in found if part.segment == segment.name]
        assert sum(len(part.rows) for part in mine) == 90
        assert [part.member for part in mine] == [m for m in segment.members if m in {p.member for p in mine}]
    assert list(parts(with_segments(pl.DataFrame(rows).head(0)))) == []
