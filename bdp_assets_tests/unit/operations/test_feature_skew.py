"""The sample of what was served: of the latest days on which something was streamed."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import event_date
from bdp_assets.contracts.records import Door
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.times import DAY
from bdp_assets.ingest.erased import merchants, note_merchants
from bdp_assets.ingest.tables import DOOR
from bdp_assets.operations.feature_skew import measure, parity
from bdp_assets.training.gate import NOTHING_SERVED
from bdp_assets_tests.unit.features.strategies import START, transaction
from bdp_assets_tests.unit.monitoring.test_skew import served


def streamed(rows: pl.DataFrame) -> pl.DataFrame:
    """As they land of what the stream served by the catalog of today."""
    marks = {DOOR: Door.STREAM.value, "catalog_version": CATALOG.version}
    return rows.with_columns(event_date("ts_ms"), **{name: pl.lit(value) for name, value in marks.items()})


def test_one_transaction_years_ahead_does_not_hide_the_others(tmp_path: Path) -> None:
    stream = [transaction(i, START + i * 60_000, 100 + i) for i in range(5)]
    stream.append(transaction(5, START + 2_000 * DAY, 100, customer="c9"))
    lake = Lake(str(tmp_path))
    lake.append("enriched", streamed(served(stream)))

    found = measure(lake)

    assert found.total("compared") == len(stream) * len(CATALOG.names)
    assert found.total("unexplained") == 0
    assert parity(lake).passed
    assert parity(lake).figures["compared"] == found.total("compared")


def test_before_anything_was_streamed_parity_is_not_known(tmp_path: Path) -> None:
    assert parity(Lake(str(tmp_path))) == NOTHING_SERVED


def test_what_an_erased_customer_had_a_part_in_is_not_held_against_the_rest(tmp_path: Path) -> None:
    """Others were served figures of a merchant that the lake can not make again, as long as windows reach."""
    gone = [transaction(i, START + i * 60_000, 50_000, customer="gone", merchant="m1") for i in range(5)]
    later = START + 10 * DAY
    stay = [
        transaction(10 + i, later + i * 60_000, 100, customer="c9", merchant=f"m{i % 2}") for i in range(4)
    ]
    lake = Lake(str(tmp_path))
    both = streamed(served([*gone, *stay]))
    mine = pl.col("customer_id") == "gone"
    lake.append("enriched", both.filter(~mine))
    assert measure(lake).total("unexplained") > 0, "the fault that an erasure alone would make"

    note_merchants(lake, both.filter(mine).select("merchant_id", "event_date"))
    found = measure(lake)
    assert (found.total("compared"), found.total("unexplained")) == (2 * len(CATALOG.names), 0)
    note_merchants(lake, both.filter(mine).select("merchant_id", "event_date"))
    assert len(merchants(lake)) == 1


def test_a_fraud_that_no_table_has_is_not_held_against_the_rest(tmp_path: Path) -> None:
    """The online store believes it where it says itself what it is about; tables can not."""
    stream = [transaction(i, START + i * 60_000, 100, merchant=f"m{i % 2}") for i in range(4)]
    lake = Lake(str(tmp_path))
    frauds = next(name for name in CATALOG.names if name.startswith("merchant_fraud"))
    told = pl.when(merchant_id="m1").then(pl.col(frauds) + 1).otherwise(frauds).alias(frauds)
    lake.append("enriched", streamed(served(stream).with_columns(told)))
    assert measure(lake).total("unexplained") == 2

    label = {"customer_id": "c9", "transaction_id": "nobody's", "is_fraud": True, "known_at_ms": START - 1}
    row = pl.DataFrame([{**label, "merchant_id": "m1", "ts_ms": START - DAY}])
    lake.append("labels", row.with_columns(event_date("known_at_ms")))
    found = measure(lake)
    names = 4 * len(CATALOG.names) - 2 * len(CATALOG.shared)
    assert (found.total("compared"), found.total("unexplained")) == (names, 0)


def test_such_frauds_hide_nothing_that_was_not_made_of_them(tmp_path: Path) -> None:
    """Else whoever has a key for labels could have the parity gate pass with nothing compared."""
    stream = [transaction(i, START + i * 60_000, 100, merchant=f"m{i % 2}") for i in range(4)]
    lake = Lake(str(tmp_path))
    wrong = next(name for name in CATALOG.names if name.startswith("customer_"))
    lake.append("enriched", streamed(served(stream).with_columns(pl.col(wrong) + 1)))
    label = {"customer_id": "c9", "is_fraud": True, "known_at_ms": START - 1, "ts_ms": START - DAY}
    told = pl.DataFrame([{**label, "transaction_id": m, "merchant_id": m} for m in ("m0", "m1")])
    lake.append("labels", told.with_columns(event_date("known_at_ms")))

    found = measure(lake)

    assert found.total("compared") == len(stream) * (len(CATALOG.names) - len(CATALOG.shared))
    assert found.total("unexplained") == len(stream)
    assert not parity(lake).passed
