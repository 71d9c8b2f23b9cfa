"""A sample of what the stream served lately, compared with what the lake says."""

from __future__ import annotations

from datetime import date

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.contracts.records import Door
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.labels import beside
from bdp_assets.features.spec import MERCHANT_ID
from bdp_assets.ingest.backfill import SEEN, reach, visible
from bdp_assets.ingest.erased import blurred
from bdp_assets.ingest.tables import DOOR, rows
from bdp_assets.monitoring.skew import Skew, skew
from bdp_assets.training.gate import Gate, parity_gate

TABLE = "enriched"
SAMPLE = 2_000
DAYS = 2
"""How many of the latest days the sample is taken from. Only days on which something was streamed count: one
transaction that is dated years after the others does not hide them."""


def measure(lake: Lake, sample: int = SAMPLE) -> Skew:
    """Nothing compared where the stream has served nothing with this catalog.

    Left out is what was served of merchants at which a customer paid who was erased since. So is, of those
    that frauds are told of which no table has, what is made of the merchant: the lake can not say what of.
    """
    streamed = (pl.col(DOOR) == Door.STREAM.value) & (pl.col("catalog_version") == CATALOG.version)
    days = _latest(lake, streamed)
    if not days:
        return skew(CATALOG, *_nothing(lake))
    first, last = days[0], days[-1]
    served = rows(lake, TABLE, None, (first, last), streamed)
    served = served.join(blurred(lake, first), on=MERCHANT_ID, how="anti")
    chosen = served.sort(pl.col("transaction_id").hash(seed=0)).head(sample)
    history, labels = visible(lake, TABLE, (first, last), [*SEEN, "apply_seq"], _seen_by(chosen))
    seen = labels.filter(pl.col(EVENT_DATE) >= reach(first))  # Of older ones the history need not be there.
    return skew(CATALOG, chosen, history, labels, beside(history, seen)[MERCHANT_ID].to_list())


def parity(lake: Lake) -> Gate:
    """Whether a model is judged by features that it will be served."""
    found = measure(lake)
    return parity_gate(found.total("compared"), found.total("unexplained"))


def _seen_by(chosen: pl.DataFrame) -> pl.Expr:
    """Rows that these rows can see: of the same customer, merchant and so on. Others need not be read."""
    keys = {entity.keys[0] for entity in CATALOG.entities}
    return pl.any_horizontal(pl.col(key).is_in(chosen[key].drop_nulls().unique().implode()) for key in keys)


def _latest(lake: Lake, streamed: pl.Expr) -> list[date]:
    """Up to DAYS days, the latest one last."""
    if not lake.exists(TABLE):
        return []
    days = lake.scan(TABLE).filter(streamed).select(pl.col(EVENT_DATE).unique()).collect()
    return days.to_series().sort().tail(DAYS).to_list()


def _nothing(lake: Lake) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """A sample of no rows, its history and labels."""
    never = (date.min, date.min)
    served, history = rows(lake, TABLE, None, never), rows(lake, TABLE, [*SEEN, "apply_seq"], never)
    return served, history, rows(lake, "labels", None, never)
