"""The frames count what the naive reader of the catalog counts."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.topics import VALIDATED
from bdp_assets.features.times import HOUR, MINUTE
from bdp_assets.streaming.analytics import figures
from bdp_assets.streaming.analytics.catalog import WINDOWS, Window
from bdp_assets.streaming.analytics.reading import events
from bdp_assets.streaming.items import Validated
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.streaming.analytics.naive import Figures, Log, logs, naive, transaction


def counted(log: Log) -> pl.DataFrame:
    """One row a transaction and window."""
    items = [
        Validated(Message(VALIDATED.name, partition, offset, 0, None, None), one, b"")
        for offset, (partition, one) in enumerate(log)
    ]
    frame = events(items, lambda message: str(message.offset))
    timed = figures.with_stream_time(frame.with_columns(reached_ms=pl.lit(figures.NEVER)))
    return figures.placed(figures.as_counts(figures.first_of_each(timed)))


@settings(max_examples=cases(300))
@given(logs())
def test_sums_and_late_ones_are_those_of_the_naive_reader(log: Log) -> None:
    rows = counted(log)
    expected = naive(log)

    sums = figures.sums(rows)
    assert {row[:4]: Figures(*row[4:]) for row in sums.iter_rows()} == expected.figures
    late = rows.filter("is_late").select("customer_id", "transaction_id", "window_name", "start_ms")
    assert sorted(late.iter_rows()) == expected.late


@pytest.mark.parametrize(
    ("last_seen", "is_late"),
    [(60_000 + 2 * MINUTE - 1, False), (60_000 + 2 * MINUTE, True), (60_000 + 2 * MINUTE + 1, True)],
)
def test_a_transaction_is_late_once_its_partition_came_to_the_end_and_the_grace(
    last_seen: int, *, is_late: bool
) -> None:
    log = [(0, transaction("c0", "a", last_seen)), (0, transaction("c0", "b", 59_999))]

    (verdict,) = counted(log).filter(transaction_id="b", window_name="tumbling_1m")["is_late"]

    assert verdict == is_late


def test_another_partition_makes_nobody_late() -> None:
    log = [(1, transaction("c1", "a", 9 * HOUR)), (0, transaction("c0", "b", 0))]

    assert not counted(log)["is_late"].any()


def test_a_hopping_window_holds_a_transaction_as_often_as_it_overlaps_itself() -> None:
    rows = counted([(0, transaction("c0", "a", 2 * HOUR + 10 * MINUTE))])

    starts = rows.filter(window_name="hopping_1h_10m")["start_ms"].to_list()
    assert sorted(starts) == [HOUR + minutes * MINUTE for minutes in (20, 30, 40, 50, 60, 70)]


def test_windows_have_names_of_their_own_and_whole_hops() -> None:
    assert len({window.name for window in WINDOWS}) == len(WINDOWS)
    with pytest.raises(ValueError, match="multiple of the hop"):
        Window("uneven", HOUR, hop_ms=7 * MINUTE, grace_ms=0)
