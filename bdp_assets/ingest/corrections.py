"""Rows of the past that people corrected: an append-only table, and what the raw table takes of it.

A fix is kept as a fact, and so is its release. Backfilled days are made of the file **and** of what was
released into them, so a day that is done again, by whomever and after whatever died, has each released row
once, and a file that is read again does not undo it.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE, RAW, event_date
from bdp_assets.contracts.records import Door
from bdp_assets.ingest.tables import rows

TABLE = "corrections"
COPY = "copy"
IDENTITY = [EVENT_DATE, "value_base64", COPY]
"""What a quarantined row of the past is known by: its day, its bytes and, of rows that are the same to the
byte, which one. Its place among the day's rows would move when the file changes."""
CORRECTED = "correction"
"""`topic` of raw rows that were released; that of rows of the file is null."""


class Action(StrEnum):
    FIXED = "fixed"
    RELEASED = "released"


def numbered(refused: pl.DataFrame) -> pl.DataFrame:
    """Quarantined rows of the past in their order, with the column that makes them known apart."""
    ordered = refused.sort(EVENT_DATE, "source_offset")
    return ordered.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).over(*IDENTITY[:2]).alias(COPY))


def latest(lake: Lake) -> pl.DataFrame:
    """A row of the table for each quarantined row that was corrected; see `standing`."""
    return standing(rows(lake, TABLE))


def standing(acts: pl.DataFrame) -> pl.DataFrame:
    """Of the acts on each quarantined row the first release or, without one, the last fix.

    The first: two that release at once release the row once.
    """
    acts = acts.sort("acted_ms", "act_id")
    released = acts.filter(action=Action.RELEASED.value).unique(IDENTITY, keep="first", maintain_order=True)
    fixed = acts.filter(action=Action.FIXED.value).unique(IDENTITY, keep="last", maintain_order=True)
    return pl.concat([released, fixed.join(released, on=IDENTITY, how="anti")])


def raw_rows(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Rows of the table `raw` that were released into the days first..last (both), by time.

    As with rows of a file, `received_ms` is the event's own time.
    """
    released = latest(lake).filter(action=Action.RELEASED.value).sort("ts_ms", "act_id", "source_offset")
    made = released.select(
        "value",
        topic=pl.lit(CORRECTED),
        received_ms="ts_ms",
        door=pl.lit(Door.HISTORY.value),
    ).with_columns(event_date("received_ms"))
    absent = {name: pl.lit(None, dtype) for name, dtype in RAW.items() if name not in made.columns}
    within = pl.col(EVENT_DATE).is_between(first, last)
    return made.with_columns(**absent).select(RAW.names()).filter(within)
