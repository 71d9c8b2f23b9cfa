"""Worlds: for each of some transactions all that its features can see, apart from the others.

The ids of a world are its own, so that one pass of the engine answers many worlds, each with the labels that
were known at the time of its transaction and no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from bdp_assets.features.table import first_of_each
from bdp_assets.training.split import KEY

LABEL = [*KEY, "is_fraud", "known_at_ms"]
ROWS = 300_000
"""Most rows of all worlds together; worlds beyond it are left out, the largest first."""


class Worlds(NamedTuple):
    """`transactions` in order of arrival, `asked`: which of them the worlds are about (Boolean), and `keys`
    of those, by their own names. `past`: which had happened by the time of their world's own (Boolean).

    `known`: the labels that were known by then. `turned`: what was thought of each transaction by then turned
    over a millisecond later, so that whatever can see a later label sees it change.
    """

    transactions: pl.DataFrame
    known: pl.DataFrame
    turned: pl.DataFrame
    asked: pl.Series
    past: pl.Series
    keys: pl.DataFrame


def worlds_of(
    rows: pl.DataFrame, transactions: pl.DataFrame, labels: pl.DataFrame, ids: Sequence[str]
) -> Worlds:
    """A world for each of `rows` (KEY); `ids`: columns by which transactions see each other."""
    # Of the copies of a transaction the first counts, also where the others are of other ids.
    events = transactions.filter(first_of_each(transactions)).with_row_index("row")
    asked = events.join(rows.select(KEY), on=KEY, how="semi").sort("row")
    asked = _affordable(asked, events, ids).with_row_index("world")
    seen = pl.concat([_seen(events, asked, name) for name in ids])
    seen = seen.unique(["world", "row"]).sort("world", "row")
    told = labels.select(LABEL).join(seen.select("world", "at_ms", *KEY), on=KEY, maintain_order="left")
    known = told.filter(pl.col("known_at_ms") <= pl.col("at_ms"))
    return Worlds(
        seen.with_columns(_apart(name) for name in ids).drop("world", "row", "at_ms", "asked"),
        known.with_columns(_apart("customer_id")).select(LABEL),
        _turned(seen, known).with_columns(_apart("customer_id")).select(LABEL),
        seen["asked"],
        seen["ts_ms"] <= seen["at_ms"],
        asked.select(KEY),
    )


def _affordable(asked: pl.DataFrame, events: pl.DataFrame, ids: Sequence[str]) -> pl.DataFrame:
    sizes = [asked.join(events.group_by(n).len(), on=n, how="left", maintain_order="left") for n in ids]
    size = pl.sum_horizontal(
        one["len"].fill_null(0).cast(pl.Int64).rename(str(i)) for i, one in enumerate(sizes)
    )
    return (
        asked.with_columns(size=size)
        .sort("size", maintain_order=True)
        .filter(pl.col("size").cum_sum() <= ROWS)
        .drop("size")
    )


def _seen(events: pl.DataFrame, asked: pl.DataFrame, name: str) -> pl.DataFrame:
    """What each world's transaction shares an id with, itself among it."""
    about = asked.drop_nulls(name).select(name, "world", at_ms="ts_ms", own="row")
    seen = events.join(about, on=name)
    return (
        seen.with_columns(asked=pl.col("row") == pl.col("own"))
        .drop("own")
        .select("world", "at_ms", "asked", *events.columns)
    )


def _turned(seen: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    by_then = known.sort("known_at_ms", maintain_order=True).unique(["world", *KEY], keep="last")
    return seen.join(
        by_then.select("world", *KEY, "is_fraud"), on=["world", *KEY], how="left", maintain_order="left"
    ).with_columns(is_fraud=~pl.col("is_fraud").fill_null(value=False), known_at_ms=pl.col("at_ms") + 1)


def _apart(name: str) -> pl.Expr:
    return (pl.col("world").cast(pl.String) + "/" + pl.col(name)).alias(name)
