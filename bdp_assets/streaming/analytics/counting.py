"""Counting one micro-batch into the warehouse, inside one transaction, once however often it comes."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from bdp_assets.clients.postgres import Connection
from bdp_assets.streaming.analytics import tables
from bdp_assets.streaming.analytics.catalog import DIMENSIONS
from bdp_assets.streaming.analytics.figures import (
    GROUP,
    KEY,
    as_counts,
    as_fraud_changes,
    by_member,
    first_of_each,
    placed,
    sums,
    with_stream_time,
)


class Counted(NamedTuple):
    totals: pl.DataFrame
    """The figures, as they are now, of every group that the batch has to do with (`tables.FIGURES`)."""
    late: pl.DataFrame
    """The rows of the side output that it added."""


def count(connection: Connection, topic_id: str, events: pl.DataFrame, labels: pl.DataFrame) -> Counted:
    """Add the batch to the figures: `reading.EVENTS` in the order of their partitions, and `reading.LABELS`.

    What was counted before changes nothing. Its groups are among the totals nevertheless: whoever counted
    them may have died before it told anybody.
    """
    # 1. Lock the positions: they say what of this batch is new, whoever we are and however long we slept.
    positions = tables.lock_positions(connection, topic_id, sorted(set(events["partition"])))
    events = events.join(positions, on="partition", maintain_order="left")
    is_new = pl.col("offset") >= pl.col("next_offset")
    new, old = with_stream_time(events.filter(is_new)), events.filter(~is_new)
    # 2. Claim: which of the new ones are the first of their transaction, and what is known to be fraud.
    first = first_of_each(new)
    known = tables.claim(connection, first.select(*KEY, "source", "ts_ms", "stream_ms", *DIMENSIONS), labels)
    counted = first.join(known, on=[*KEY, "source"], how="semi", maintain_order="left")
    labelled = known.filter(pl.col("source").is_not_null())
    changed = labelled.filter(pl.col("is_fraud") != pl.col("fraud_counted"))
    tables.settle(connection, changed)
    # 3. Add what they change to the figures; what came too late goes aside.
    additions = placed(pl.concat([as_counts(counted), as_fraud_changes(changed)]))
    tables.add(connection, sums(additions))
    late = additions.filter("is_late", pl.col("count") > 0)
    tables.note_late(connection, late)
    # 4. Move the positions.
    tables.move_positions(connection, topic_id, _reached(new))
    # 5. Read the totals while the rows are ours.
    again = by_member(placed(old.with_columns(stream_ms=pl.lit(0)))).select(GROUP)
    touched = by_member(placed(labelled).filter(~pl.col("is_late"))).select(GROUP)
    return Counted(tables.totals(connection, pl.concat([again, touched]).unique()), late)


def _reached(new: pl.DataFrame) -> pl.DataFrame:
    """Where the partitions stand after the new events."""
    return new.group_by("partition").agg(
        next_offset=pl.col("offset").max() + 1, stream_ms=pl.max_horizontal("ts_ms", "stream_ms").max()
    )
