"""What a file of questions names decides which features it is answered."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.spec import CUSTOMER, CUSTOMER_MERCHANT, MERCHANT
from bdp_assets.ingest.mapping import MappingError, load_mapping
from bdp_assets.ingest.spine import Spine, spine_of

HANDBOOK = Path(__file__).parents[3] / "deploy" / "sources" / "handbook.yaml"


def spine(folder: Path, **columns: object) -> Spine:
    path = folder / "spine.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return spine_of(path, CATALOG)


def test_a_merchant_alone_is_answered_its_own_features_and_those_of_the_time(tmp_path: Path) -> None:
    asked = spine(tmp_path, merchant_id=["m"], ts_ms=[5])
    assert set(asked.catalog.entities) == {MERCHANT}
    assert {"hour", "weekday"} < set(asked.catalog.names)
    assert asked.left_out["customer_count_1d"] == "amount_base_minor, customer_id"
    assert asked.left_out["amount_to_usual"] == "amount_value, customer_usual_amount"
    assert {*asked.left_out, *asked.catalog.names} == set(CATALOG.names)


def test_without_an_amount_the_row_itself_does_not_count(tmp_path: Path) -> None:
    asked = spine(tmp_path, customer_id=["c"], merchant_id=["m"], ts_ms=[5])
    assert set(asked.catalog.entities) == {CUSTOMER, CUSTOMER_MERCHANT, MERCHANT}
    assert not any(feature.include_current for feature in asked.catalog.windows)
    assert asked.left_out["customer_count_1d"] == "amount_base_minor"


@pytest.mark.parametrize(
    ("name", "amount"), [("amount", "12.34"), ("amount", 12.34), ("amount_base_minor", 1_234)]
)
def test_with_an_amount_nothing_is_left_out(name: str, amount: object, tmp_path: Path) -> None:
    asked = spine(
        tmp_path,
        customer_id=["c"],
        merchant_id=["m"],
        timestamp=["1970-01-01T01:00:00.005+01:00"],
        **{name: [amount]},
    )
    assert not asked.left_out
    row = asked.rows.rows.collect().row(0, named=True)
    assert (row["ts_ms"], row["amount_base_minor"]) == (5, 1_234)


def test_a_mapping_says_what_foreign_columns_are(tmp_path: Path) -> None:
    path = tmp_path / "spine.csv"
    path.write_text("CUSTOMER_ID,TX_DATETIME\n596,2018-04-01 00:00:31\n")
    given = load_mapping(HANDBOOK)
    as_frame = pl.read_csv(path, try_parse_dates=True)
    as_frame.write_parquet(tmp_path / "spine.parquet")
    row = spine_of(tmp_path / "spine.parquet", CATALOG, given).rows.rows.collect().row(0, named=True)
    assert (row["customer_id"], row["ts_ms"]) == ("C596", 1_522_540_831_000)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"ts_ms": [1]}, "names nobody whose features there are: it needs one of customer_id"),
        ({"customer_id": ["c"]}, "has no time: name it ts_ms"),
        ({"customer_id": ["c"], "ts_ms": [1], "hour": [3]}, "columns named as features: hour"),
    ],
)
def test_what_can_not_be_asked_is_told(columns: dict[str, object], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=sentence):
        spine(tmp_path, **columns)
