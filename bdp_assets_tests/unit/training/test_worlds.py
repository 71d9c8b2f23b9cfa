"""Worlds apart give the same features as one world, and hold the labels of their time."""

from __future__ import annotations

import polars as pl
import pytest

from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.training import worlds
from bdp_assets.training.split import KEY
from bdp_assets.training.telling import telling_rows
from bdp_assets.training.worlds import worlds_of
from bdp_assets_tests.unit.features.bulk.streams import busy_stream, label_some

HOUR = 3_600_000
DAY = 24 * HOUR
IDS = ["customer_id", "merchant_id"]


@pytest.fixture(scope="module")
def stream() -> pl.DataFrame:
    """Some of its transactions come twice, and some lack a merchant."""
    frame = busy_stream(600, 2 * HOUR)
    nobody = pl.int_range(pl.len()) % 11 == 0
    return frame.with_columns(merchant_id=pl.when(~nobody).then("merchant_id"))


@pytest.fixture(scope="module")
def labels(stream: pl.DataFrame) -> pl.DataFrame:
    frauds = label_some(stream, 9 * DAY)
    reversals = frauds.gather_every(3).with_columns(
        is_fraud=pl.lit(value=False), known_at_ms=pl.col("known_at_ms") + 2 * DAY
    )
    return pl.concat([frauds, reversals])


def test_worlds_apart_have_the_features_of_the_whole(stream: pl.DataFrame, labels: pl.DataFrame) -> None:
    rows = stream.unique(KEY, keep="first", maintain_order=True)
    found = worlds_of(rows, stream, labels, IDS)
    apart = build_features(found.transactions, found.known, only=found.asked)
    whole = build_features(stream, labels).unique(KEY, keep="first", maintain_order=True)
    same = found.keys.join(whole, on=KEY, how="left", maintain_order="left")
    assert len(found.keys) == len(rows)
    assert apart.select(CATALOG.names).equals(same.select(CATALOG.names))


def test_a_world_knows_the_labels_of_its_time_and_turns_over_the_rest(
    stream: pl.DataFrame, labels: pl.DataFrame
) -> None:
    row = stream.unique(KEY, keep="none").sort("ts_ms")[400]
    at_ms = row["ts_ms"].item()
    found = worlds_of(row, stream, labels, IDS)
    assert found.known["known_at_ms"].max() <= at_ms  # type: ignore[operator]
    assert found.turned["known_at_ms"].unique().to_list() == [at_ms + 1]
    assert found.asked.sum() == 1
    known = found.known.sort("known_at_ms", maintain_order=True).unique(KEY, keep="last")
    both = found.turned.join(known, on=KEY, how="left", suffix="_before")
    assert (both["is_fraud"] != both["is_fraud_before"].fill_null(value=False)).all()
    assert len(both) == found.transactions.select(KEY).n_unique()


def test_the_past_of_a_world_ends_with_its_own_transaction(
    stream: pl.DataFrame, labels: pl.DataFrame
) -> None:
    row = stream.unique(KEY, keep="none").sort("ts_ms")[400]
    found = worlds_of(row, stream, labels, IDS)
    past, later = found.transactions.filter(found.past), found.transactions.filter(~found.past)
    assert past["ts_ms"].max() == row["ts_ms"].item() < later["ts_ms"].min()  # type: ignore[operator]
    assert found.asked.filter(found.past).sum() == 1


def test_worlds_that_are_too_large_together_are_left_out_the_largest_first(
    stream: pl.DataFrame, labels: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = stream.unique(KEY, keep="none")
    monkeypatch.setattr(worlds, "ROWS", 3_000)
    found = worlds_of(rows, stream, labels, IDS)
    assert 0 < len(found.keys) < len(rows)
    assert len(found.transactions) <= 3_000


def test_the_sample_has_frauds_and_what_came_after_them(stream: pl.DataFrame, labels: pl.DataFrame) -> None:
    chosen = telling_rows(stream, stream, labels, IDS, 40)
    frauds = labels.filter("is_fraud").select(KEY).unique()
    assert len(chosen) == chosen.n_unique() == 40
    assert chosen.join(frauds, on=KEY, how="semi").height >= 10
    assert chosen.equals(telling_rows(stream, stream, labels, IDS, 40))
    assert len(telling_rows(stream, stream, labels, IDS, 10_000)) == stream.select(KEY).n_unique()


def test_without_frauds_any_rows_are_taken(stream: pl.DataFrame, labels: pl.DataFrame) -> None:
    assert len(telling_rows(stream, stream, labels.clear(), IDS, 40)) == 40
