from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts import columns
from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.audit import audit
from bdp_assets.ingest.backfill import corrected_features, enriched_history
from bdp_assets.ingest.tables import TABLES

FIRST = date(2026, 1, 1)
DAYS = 100
LAST = FIRST + timedelta(days=DAYS - 1)
DAY_MS = 86_400_000
START_MS = 1_767_225_600_000


def transactions(count: int, door: str = "history", seed: int = 1) -> pl.DataFrame:
    """Random rows of the table `validated`, by time."""
    dice = random.Random(seed)
    times = sorted(START_MS + dice.randrange(DAYS * DAY_MS) for _ in range(count))
    rows = [
        {
            "transaction_id": f"{door}-{n}",
            "customer_id": f"c-{dice.randrange(4)}",
            "merchant_id": f"m-{dice.randrange(3)}",
            "timestamp": "as sent",
            "ts_ms": ts_ms,
            "amount": "1",
            "currency": "USD",
            "amount_minor": 100,
            "amount_base_minor": dice.randrange(10_000),
            "rates_version": "1",
            "body_hash": f"{n:032}",
            "flags": [],
            "door": door,
        }
        for n, ts_ms in enumerate(times)
    ]
    schema = {name: dtype for name, dtype in TABLES["validated"].items() if name != columns.EVENT_DATE}
    return pl.DataFrame(rows, schema=schema).with_columns(columns.event_date("ts_ms"))


def label_rows(frauds: pl.DataFrame, delay_days: int) -> pl.DataFrame:
    known = frauds.select(
        "transaction_id",
        "customer_id",
        pl.lit(value=True).alias("is_fraud"),
        (pl.col("ts_ms") + delay_days * DAY_MS).alias("known_at_ms"),
        "merchant_id",
        "ts_ms",
        "door",
    ).with_columns(columns.event_date("known_at_ms"))
    return known.select(TABLES["labels"].names())


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A past with frauds, some of them known only after 80 days, when no window reaches them any more."""
    lake = Lake(str(tmp_path))
    history = transactions(400)
    lake.append("validated", history)
    lake.append("labels", label_rows(history[::9], 5))
    lake.append("labels", label_rows(history[4:60:8], 80))
    return lake


SPANS = [(FIRST + timedelta(days=n), FIRST + timedelta(days=n + 19)) for n in range(0, DAYS, 20)]


def test_enriched_days_are_the_same_in_parts_and_all_at_once(lake: Lake) -> None:
    at_once = enriched_history(lake, FIRST, LAST)
    assert pl.concat([enriched_history(lake, *span) for span in SPANS]).equals(at_once)
    assert enriched_history(lake, LAST, LAST).equals(at_once.filter(event_date=LAST))
    assert audit("enriched", at_once).is_empty()


def test_the_late_labels_do_move_features(lake: Lake) -> None:
    """Otherwise the test above would prove little."""
    day = FIRST + timedelta(days=95)
    assert day - timedelta(days=CATALOG.reach_days or 0) > FIRST
    with_late = enriched_history(lake, day, LAST)
    lake.replace("labels", pl.DataFrame(schema=TABLES["labels"]), "known_at_ms - ts_ms > 6912000000 - 1")
    assert not enriched_history(lake, day, LAST).equals(with_late)


def test_apply_sequences_number_each_customers_transactions_by_time(lake: Lake) -> None:
    for (_,), rows in enriched_history(lake, FIRST, LAST).partition_by("customer_id", as_dict=True).items():
        assert rows["apply_seq"].to_list() == list(range(1, len(rows) + 1))
        assert rows["ts_ms"].is_sorted()


def test_enriched_history_does_not_see_streamed_transactions(lake: Lake) -> None:
    before = enriched_history(lake, FIRST, LAST)
    lake.append("validated", transactions(50, "stream", seed=2))
    assert enriched_history(lake, FIRST, LAST).equals(before)


def test_corrected_features_see_every_door_and_are_the_kernels_own(lake: Lake) -> None:
    lake.append("enriched", enriched_history(lake, FIRST, LAST))
    streamed = transactions(50, "stream", seed=2)
    lake.append("enriched", streamed.with_columns(apply_seq=pl.lit(1), catalog_version=pl.lit("other")))
    features = corrected_features(lake, FIRST, LAST)
    everything = pl.concat([transactions(400), streamed]).sort("ts_ms", maintain_order=True)
    expected = build_features(everything, lake.read("labels"))
    keys = ["customer_id", "transaction_id"]
    assert features.select(expected.columns).sort(keys).equals(expected.sort(keys))
    assert audit("features", features).is_empty()
    in_parts = pl.concat([corrected_features(lake, *span) for span in SPANS])
    assert in_parts.sort(keys).equals(features.sort(keys))


def test_an_empty_lake_gives_empty_days(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    assert enriched_history(lake, FIRST, LAST).schema == TABLES["enriched"]
    assert corrected_features(lake, FIRST, LAST).schema == TABLES["features"]
