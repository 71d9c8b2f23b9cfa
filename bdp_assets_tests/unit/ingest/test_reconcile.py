"""Every streamed raw row has its outcome in the lake, or is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts import columns
from bdp_assets.ingest.reconcile import SETTLED_MS, Reconciled, days_of, reconcile
from bdp_assets.ingest.tables import SOURCE_COLUMNS, TABLES, from_no_topic

DAY, NEXT = date(2026, 2, 3), date(2026, 2, 4)
NOON_MS = 1_770_120_000_000
RAW_TOPIC = "transactions-raw-v1"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path))


def put(lake: Lake, table: str, records: list[dict[str, object]]) -> None:
    schema = TABLES[table]
    lake.append(table, pl.DataFrame(records, {name: schema[name] for name in records[0]}))


def raw(lake: Lake, *offsets: int, partition: int = 0, step_ms: int = 1, door: str = "stream") -> None:
    """Raw rows of the day, each so much later than the one before."""
    rows: list[dict[str, object]] = [
        {
            "partition": partition,
            "offset": offset,
            "received_ms": NOON_MS + offset * step_ms,
            "door": door,
            "event_date": DAY,
        }
        for offset in offsets
    ]
    put(lake, "raw", rows)


def clean(lake: Lake, *offsets: int, partition: int = 0, topic_id: str = "id-1", day: date = DAY) -> None:
    rows: list[dict[str, object]] = [
        dict(zip((*SOURCE_COLUMNS, "event_date"), (topic_id, partition, offset, day), strict=True))
        for offset in offsets
    ]
    put(lake, "validated", rows)


def refused(lake: Lake, offset: int, error: str = "out_of_range", step_ms: int = 1) -> None:
    row: dict[str, object] = {
        "source_topic": RAW_TOPIC,
        "source_partition": 0,
        "source_offset": offset,
        "received_ms": NOON_MS + offset * step_ms,
        "error": error,
        "event_date": DAY,
    }
    put(lake, "quarantined", [row])


def judged(lake: Lake, *, is_behind: bool = False) -> Reconciled:
    return reconcile(lake, {DAY}, is_behind=is_behind)


def test_every_row_is_clean_or_quarantined(lake: Lake) -> None:
    raw(lake, 0, 1, 2)
    clean(lake, 0)
    clean(lake, 2, day=NEXT)  # of whatever day its own time says
    refused(lake, 1)
    found = judged(lake)
    assert found == Reconciled(raw=3, clean=2, quarantined=1, on_their_way=0, lost=0, doubled=0)
    assert found.holds


def test_a_duplicate_was_clean_before_it_was_refused(lake: Lake) -> None:
    raw(lake, 0, 1)
    clean(lake, 0, 1)
    refused(lake, 1, error="duplicate")
    found = judged(lake)
    assert (found.clean, found.quarantined, found.holds) == (2, 0, True)


def test_rows_of_a_file_are_not_the_streams(lake: Lake) -> None:
    raw(lake, 0)
    raw(lake, 7, door="history")
    clean(lake, 0)
    lake.append("validated", from_no_topic(pl.DataFrame(schema=columns.VALIDATED).clear(1)))
    assert judged(lake) == Reconciled(raw=1, clean=1, quarantined=0, on_their_way=0, lost=0, doubled=0)


def test_what_has_no_outcome_yet_is_on_its_way(lake: Lake) -> None:
    raw(lake, 0, 1, 2)
    clean(lake, 0, 2)  # 1 and 2 are of one transaction, and not all of it can be read yet
    found = judged(lake)
    assert (found.on_their_way, found.lost, found.holds) == (1, 0, True)


def test_what_was_passed_by_long_ago_is_lost(lake: Lake) -> None:
    raw(lake, 0, 1, 2, 3, step_ms=SETTLED_MS)
    clean(lake, 0, 3)
    found = judged(lake)
    assert (found.on_their_way, found.lost, found.holds) == (1, 1, False)


def test_a_partition_is_not_passed_by_another_one(lake: Lake) -> None:
    raw(lake, 0, 1, 2, 3, step_ms=SETTLED_MS)
    clean(lake, 0, 1, 2, 3)
    raw(lake, 0, partition=1)
    found = judged(lake)
    assert (found.on_their_way, found.lost) == (1, 0)


def test_nothing_is_lost_while_outcomes_wait_to_be_landed(lake: Lake) -> None:
    raw(lake, 0, 1, 2, 3, step_ms=SETTLED_MS)
    clean(lake, 0, 3)
    assert judged(lake, is_behind=True).on_their_way == 2


def test_a_second_outcome_is_a_double(lake: Lake) -> None:
    raw(lake, 0, 1)
    clean(lake, 0, 0)
    refused(lake, 1)
    refused(lake, 1)
    found = judged(lake)
    assert (found.doubled, found.holds) == (2, False)


def test_the_same_place_in_a_topic_that_was_made_anew_is_no_double(lake: Lake) -> None:
    raw(lake, 0)
    clean(lake, 0)
    clean(lake, 0, topic_id="id-2", day=NEXT)
    assert judged(lake).holds


def test_a_lake_with_nothing_but_raw_rows_has_them_on_their_way(lake: Lake) -> None:
    raw(lake, 0, 1)
    assert judged(lake) == Reconciled(raw=2, clean=0, quarantined=0, on_their_way=2, lost=0, doubled=0)


def test_landed_outcomes_name_the_days_of_their_raw_rows(lake: Lake) -> None:
    raw(lake, 0, 1)
    clean(lake, 1, 9, day=NEXT)
    landed = lake.read("validated")
    assert days_of(lake, landed) == {DAY}
    nowhere = landed.with_columns(pl.lit(None, pl.Int64).alias("source_offset"))
    assert days_of(lake, nowhere) == set()
