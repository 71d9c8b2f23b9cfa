"""Is every streamed raw row clean or quarantined? Proved in the lake, by where each row came from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts import topics
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.contracts.records import Door
from bdp_assets.ingest.tables import DOOR, SOURCE_COLUMNS, rows

PLACE = ["partition", "offset"]
SETTLED_MS = 30_000
"""A row without an outcome is lost, not late, when one of its partition that came so much later has one: the
outcomes of one transaction (ten seconds at most) become readable one by one, each in its own partition."""
VALIDATED_FIRST = ("duplicate", "conflict")
"""Errors of what validation let through: such a row is clean, and refused later."""


@dataclass(frozen=True)
class Reconciled:
    """Streamed raw rows of some days and what became of them: clean, quarantined, on their way, or lost.

    `doubled`: outcomes beyond the first of their raw row.
    """

    raw: int
    clean: int
    quarantined: int
    on_their_way: int
    lost: int
    doubled: int

    @property
    def holds(self) -> bool:
        return not self.lost and not self.doubled


def days_of(lake: Lake, landed: pl.DataFrame) -> set[date]:
    """Days of the raw rows that newly landed rows of the table `validated` came from."""
    offsets = landed["source_offset"].drop_nulls()
    if offsets.is_empty():
        return set()
    wanted = _between(pl.col("offset"), offsets) & _is_streamed()
    found = rows(lake, "raw", [*PLACE, EVENT_DATE], None, wanted)
    sources = landed.select(partition=pl.col("source_partition").cast(pl.Int32), offset="source_offset")
    return set(found.join(sources, on=PLACE, how="semi")[EVENT_DATE].unique())


def reconcile(lake: Lake, days: Collection[date], *, is_behind: bool) -> Reconciled:
    """Every streamed raw row of the days with its outcomes, as the lake has them now.

    `is_behind`: outcomes wait to be landed, so that what has none may have one there.
    """
    wanted = _is_streamed() & pl.col(EVENT_DATE).is_in(list(days))
    raw = rows(lake, "raw", [*PLACE, "received_ms"], (min(days), max(days)), wanted)
    judged = raw.join(_clean(lake, raw), on=PLACE, how="left").join(
        _refused(lake, days), on=[*PLACE, "received_ms"], how="left"
    )
    return Reconciled(**_judge(judged, is_behind=is_behind).row(0, named=True))


def _clean(lake: Lake, raw: pl.DataFrame) -> pl.DataFrame:
    """Raw places -> number of rows in `validated`, and how many of them are doubles."""
    within = _between(pl.col("source_offset"), raw["offset"])
    # A topic that was made anew counts from zero again: the same place in another topic is no double.
    by_topic = rows(lake, "validated", list(SOURCE_COLUMNS), None, within).group_by(SOURCE_COLUMNS).len("n")
    return by_topic.group_by(
        partition=pl.col("source_partition").cast(pl.Int32), offset=pl.col("source_offset")
    ).agg(clean=pl.len(), clean_doubles=(pl.col("n") - 1).sum())


def _refused(lake: Lake, days: Collection[date]) -> pl.DataFrame:
    """Raw places -> number of rows in `quarantined`."""
    by_validation = (pl.col("source_topic") == topics.RAW.name) & ~pl.col("error").is_in(VALIDATED_FIRST)
    letters = rows(
        lake,
        "quarantined",
        ["source_partition", "source_offset", "received_ms"],
        (min(days), max(days)),
        by_validation,
    )
    return letters.group_by(
        partition=pl.col("source_partition").cast(pl.Int32), offset="source_offset", received_ms="received_ms"
    ).agg(refused=pl.len())


def _judge(judged: pl.DataFrame, *, is_behind: bool) -> pl.DataFrame:
    clean, refused = pl.col("clean").is_not_null(), pl.col("refused").is_not_null()
    missing = ~clean & ~refused
    newest = pl.col("received_ms").filter(~missing).max().over("partition")
    lost = missing & (pl.col("received_ms") < newest - SETTLED_MS).fill_null(value=False) & (not is_behind)
    counts = {
        "raw": pl.len(),
        "clean": clean.sum(),
        "quarantined": (refused & ~clean).sum(),
        "on_their_way": (missing & ~lost).sum(),
        "lost": lost.sum(),
        "doubled": pl.col("clean_doubles").sum() + (pl.col("refused") - 1).sum(),
    }
    return judged.select(**counts)


def _is_streamed() -> pl.Expr:
    return pl.col(DOOR) == Door.STREAM.value


def _between(column: pl.Expr, offsets: pl.Series) -> pl.Expr:
    """Files whose offsets lie elsewhere are not read: their statistics tell."""
    return column.is_between(pl.lit(offsets.min(), pl.Int64), pl.lit(offsets.max(), pl.Int64))
