"""History: reproducible, the same for any range of days, and all of it keeps the contract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from bdp_assets.contracts.columns import columns_of
from bdp_assets.contracts.records import Door, Label
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.ingest.history import labels, raw_rows
from bdp_assets.ingest.source import HistorySource
from bdp_assets.simulator.world import History, World, midnight
from bdp_assets_tests.unit.simulator.conftest import DAYS, END

FIRST = END - timedelta(days=DAYS)


def test_a_seed_is_a_world(world: World, history: History) -> None:
    again = World(seed=11, customers=400, merchants=600).history(END, DAYS)
    assert again.transactions.equals(history.transactions)
    assert again.labels.equals(history.labels)
    other = World(seed=12, customers=400, merchants=600).history(END, 2)
    assert not other.transactions.equals(world.history(END, 2).transactions)


def test_a_day_is_the_same_in_every_range(world: World, history: History) -> None:
    shorter = world.history(END, 10).transactions
    assert shorter.height > 1_000
    last_days = history.transactions.filter(pl.col("timestamp") >= f"{END - timedelta(days=10)}T")
    assert shorter.equals(last_days)


def test_days_end_at_midnight_and_are_in_order(history: History) -> None:
    times = history.transactions["timestamp"]
    assert times.is_sorted()
    assert (times[0][:10], times[-1][:10]) == (str(FIRST), str(END - timedelta(days=1)))


def test_ids_are_unique(history: History) -> None:
    assert history.transactions["transaction_id"].is_unique().all()


def test_size_is_what_is_promised(history: History) -> None:
    # 1,000 customers in 90 days shall make more than 150,000 transactions.
    assert history.transactions.height / (400 * DAYS) > 150_000 / (1_000 * 90)


def test_every_transaction_keeps_the_contract_on_its_way_through_the_file(
    history: History, tmp_path: Path
) -> None:
    source = HistorySource(history.write(tmp_path))
    rows = raw_rows(source, FIRST, END - timedelta(days=1))
    assert rows.height == history.transactions.height
    records = [
        decode_transaction(value.encode(), received_ms=received, door=Door.HISTORY)
        for value, received in zip(rows["value"], rows["received_ms"], strict=True)
    ]
    assert [r.amount for r in records] == history.transactions["amount"].to_list()
    assert {r.currency for r in records} == {"USD", "EUR", "GBP", "JPY"}
    assert labels(source, FIRST, END - timedelta(days=1)).equals(history.labels)


def test_a_history_tells_which_world_it_is_of(world: World, tmp_path: Path) -> None:
    world.history(END, 1).write(tmp_path)
    assert World.saved(tmp_path) == world


def test_labels_have_the_columns_of_a_label(history: History) -> None:
    assert history.labels.schema == pl.Schema(columns_of(Label))


def test_too_few_merchants_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 17 merchants"):
        World(merchants=16).history(END, 1)


def test_midnight_is_in_utc() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert midnight(int(noon.timestamp() * 1_000)) == END
