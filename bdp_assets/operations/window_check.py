"""Whether the warehouse's window figures are what the lake says they have to be.

The lake's `validated` rows name their raw message, and a customer's messages keep their order from the raw
topic to the validated one (its id is the key of all of them). So the lake can be counted again in that order:
the same windows, the same late ones, however many workers there were. Rows that came from files are left out:
they never were on the stream. Windows that counted a customer who was erased are left out, too: the lake does
not have those transactions any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from bdp_assets.clients.kafka import topic_ids
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import session
from bdp_assets.contracts.topics import RAW, VALIDATED
from bdp_assets.ingest.tables import IS_HISTORY, SOURCE_COLUMNS, rows
from bdp_assets.operations.erasure.warehouse import PSEUDONYM
from bdp_assets.operations.window_retention import kept_from
from bdp_assets.settings import Settings
from bdp_assets.streaming.analytics import tables
from bdp_assets.streaming.analytics.catalog import DIMENSIONS, WINDOWS
from bdp_assets.streaming.analytics.figures import (
    GROUP,
    KEY,
    MEASURES,
    NEVER,
    as_counts,
    as_fraud_changes,
    by_member,
    first_of_each,
    placed,
    sums,
    with_stream_time,
)
from bdp_assets.streaming.analytics.reading import as_latest

_TOPIC_ID, _PARTITION, _OFFSET = SOURCE_COLUMNS
_COLUMNS = (*KEY, "ts_ms", "amount_base_minor", *DIMENSIONS, *SOURCE_COLUMNS)


@dataclass(frozen=True)
class Comparison:
    """`windows` figures were compared; `wrong` has those that differ, with both sides of each measure."""

    windows: int
    from_ms: int
    """Windows that began earlier may be forgotten."""
    until_ms: int
    """Windows that ended, with their grace, by this stream time: worker and lake have both come so far."""
    labels_apart: int
    """Labels that only one side knows yet; as long as there are any, frauds are not compared."""
    wrong: pl.DataFrame


@dataclass(frozen=True)
class Recount:
    """The lake, counted anew."""

    additions: pl.DataFrame
    """What each of the stream's transactions adds to each of its windows: `figures.placed`."""
    clocks: pl.DataFrame
    """topic_id, partition and reached_ms: stream time of each raw partition at the end of the table."""
    labels: pl.DataFrame
    """The latest label of each transaction, as `reading.as_latest` has it."""


def compare(settings: Settings, lake: Lake) -> Comparison:
    """Count the lake anew and compare what both sides have finished.

    Reads the whole table of validated rows. Raises WarehouseUnavailable, KafkaUnavailable, KafkaRefused.
    """
    ids = topic_ids(settings, [RAW.name, VALIDATED.name])
    counted = recount(lake)
    with session(settings) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        stored = tables.all_figures(connection)
        reached = tables.all_positions(connection, ids[VALIDATED.name])
        labels = tables.all_labels(connection).filter(~pl.col("customer_id").str.starts_with(PSEUDONYM))
        erased = tables.pseudonymous(connection, PSEUDONYM)
        from_ms = kept_from(settings, connection)
    until_ms = _common_time(counted.clocks.filter(topic_id=ids[RAW.name]), reached)
    both = pl.concat([labels, counted.labels]).filter(pl.col("label") // 2 >= from_ms)
    apart = len(both.unique(keep="none"))
    kept = (without_erased(side, erased) for side in (stored, sums(counted.additions)))
    sides = [_finished(side, from_ms, until_ms) for side in kept]
    compared = [name for name in MEASURES if name != "fraud_count" or not apart]
    return Comparison(len(sides[1]), from_ms, until_ms, apart, differences(sides[0], sides[1], compared))


def recount(lake: Lake) -> Recount:
    """All that came through the stream, in the order in which it came."""
    streamed = rows(lake, "validated", _COLUMNS, filters=pl.col(_OFFSET).is_not_null()).sort(SOURCE_COLUMNS)
    topic = pl.concat_str(_TOPIC_ID, pl.col(_PARTITION), separator=":")
    events = with_stream_time(streamed.with_columns(partition=topic, reached_ms=pl.lit(NEVER)))
    first = first_of_each(events)
    labels = as_latest(rows(lake, "labels", [*KEY, "known_at_ms", "is_fraud"], filters=~IS_HISTORY))
    frauds = first.join(labels.filter(pl.col("label") % 2 == 1), on=KEY, how="semi")
    changes = as_fraud_changes(frauds.with_columns(is_fraud=pl.lit(True)))
    clocks = events.group_by(topic_id=_TOPIC_ID, partition=_PARTITION).agg(reached_ms=pl.col("ts_ms").max())
    return Recount(placed(pl.concat([as_counts(first), changes])), clocks, labels)


def differences(
    stored: pl.DataFrame, counted: pl.DataFrame, measures: Sequence[str] = MEASURES
) -> pl.DataFrame:
    """Groups that one side lacks, or where a measure differs: GROUP, each measure and its `_in_lake`."""
    both = stored.select(*GROUP, *measures).join(
        counted.select(*GROUP, *measures), on=GROUP, how="full", coalesce=True, suffix="_in_lake"
    )
    return both.filter(pl.any_horizontal(pl.col(m).ne_missing(pl.col(f"{m}_in_lake")) for m in measures))


def without_erased(figures: pl.DataFrame, erased: pl.DataFrame) -> pl.DataFrame:
    """Those of groups and windows in which no such transaction lies."""
    touched = by_member(placed(erased.with_columns(stream_ms=pl.lit(NEVER)))).select(GROUP)
    return figures.join(touched, on=GROUP, how="anti")


def _finished(figures: pl.DataFrame, from_ms: int, until_ms: int) -> pl.DataFrame:
    """Those to which no transaction can be added any more, and that are kept."""
    grace = pl.col("window_name").replace_strict({window.name: window.grace_ms for window in WINDOWS})
    return figures.filter(pl.col("start_ms") >= from_ms, pl.col("end_ms") + grace <= until_ms)


def _common_time(clocks: pl.DataFrame, reached: pl.DataFrame) -> int:
    """The stream time that every partition has passed on both sides; NEVER where one side lacks one."""
    both = clocks.join(reached, on="partition", how="full", coalesce=True).fill_null(NEVER)
    least = both.select(pl.min_horizontal("reached_ms", "reached_ms_right").min()).item()
    return NEVER if least is None else int(least)
