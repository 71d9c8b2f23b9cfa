"""Records come out of the lake as they were decided, with their features."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import FEATURES, event_date, to_frame
from bdp_assets.contracts.records import Prediction
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.times import DAY
from bdp_assets.operations.decision_records.tables import KEY, records, sample
from bdp_assets_tests.unit.operations.decision_records.conftest import changed

EVERY = pl.lit(value=True)
FIRST_DAY = date(2026, 1, 1)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path))


def landed(lake: Lake, decided: list[Prediction]) -> None:
    lake.append("predictions", to_frame(decided, Prediction, "ts_ms"))


def enriched(decided: list[Prediction]) -> pl.DataFrame:
    rows = [
        {**{n: getattr(one, n) for n in (*KEY, "ts_ms", "apply_seq", "catalog_version")}, **one.features}
        for one in decided
    ]
    return pl.DataFrame(rows).with_columns(event_date("ts_ms"))


def by_id(found: list[Prediction]) -> list[Prediction]:
    return sorted(found, key=lambda one: int(one.transaction_id[1:]))


def test_what_landed_comes_out_equal(lake: Lake, decided: list[Prediction]) -> None:
    landed(lake, decided)
    assert by_id(records(lake, EVERY)) == decided
    assert records(lake, pl.col("transaction_id") == "t7") == [decided[7]]
    assert records(lake, EVERY, (date(2026, 1, 2), date(2026, 1, 2))) == []


@pytest.mark.parametrize("decided_by", ["batch", "stream"])
def test_features_that_are_only_in_enriched_are_found_there(
    lake: Lake, decided: list[Prediction], decided_by: str
) -> None:
    told = changed(decided, decided_by=decided_by)
    landed(lake, changed(told, features={}))
    lake.append("enriched", enriched(told))
    assert by_id(records(lake, EVERY)) == told


def test_a_row_from_before_features_were_kept_has_none_of_the_api(
    lake: Lake, decided: list[Prediction]
) -> None:
    lake.append("predictions", to_frame(decided[:2], Prediction, "ts_ms").drop(FEATURES))
    lake.append("enriched", enriched(decided))
    assert by_id(records(lake, EVERY)) == changed(decided[:2], features={})
    landed(lake, decided[2:])
    assert by_id(records(lake, EVERY))[2:] == decided[2:]


def test_features_of_another_apply_sequence_or_catalog_are_not_its(
    lake: Lake, decided: list[Prediction]
) -> None:
    told = changed(decided[:2], decided_by="stream")
    landed(lake, changed(told, features={}))
    first, second = enriched(told[:1]), enriched(told[1:])
    lake.append("enriched", first.with_columns(apply_seq=pl.lit(99, pl.Int64)))
    lake.append("enriched", second.with_columns(catalog_version=pl.lit("other")))
    assert [one.features for one in records(lake, EVERY)] == [{}, {}]


def test_a_sample_is_of_the_latest_days_and_the_same_each_time(lake: Lake, decided: list[Prediction]) -> None:
    assert sample(lake, 5, 2) == []
    start = decided[0].ts_ms
    for day in range(4):
        landed(
            lake,
            [
                one
                for record in decided[day * 10 :][:10]
                for one in changed([record], ts_ms=start + day * DAY)
            ],
        )
    chosen = sample(lake, 5, 2)
    assert len(chosen) == 5
    assert chosen == sample(lake, 5, 2)
    assert all(one.ts_ms >= start + 2 * DAY for one in chosen)
    assert len(sample(lake, 1_000, 3)) == 30
    assert all(set(one.features) == set(CATALOG.names) for one in chosen)
