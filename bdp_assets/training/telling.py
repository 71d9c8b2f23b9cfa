"""Which rows tell most: where a label that is known too early would change something."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from bdp_assets.training.split import DAY_MS, KEY


def telling_rows(
    rows: pl.DataFrame, transactions: pl.DataFrame, labels: pl.DataFrame, ids: Sequence[str], size: int
) -> pl.DataFrame:
    """KEY of `size` of the rows, with as many as there are of those where a label known too early would show.

    In equal shares: frauds, transactions within a day of a fraud of the same customer or merchant which is
    not yet known, those longer after one, and any others.
    """
    asked = transactions.join(rows.select(KEY), on=KEY, how="semi").sort("ts_ms", maintain_order=True)
    own = labels.filter("is_fraud").group_by(KEY).agg(pl.col("known_at_ms").min())
    frauds = transactions.join(own, on=KEY).sort("ts_ms", "known_at_ms")
    since = pl.concat([_since_unknown_fraud(asked, frauds, name) for name in ids])
    nearest = since.group_by(KEY, maintain_order=True).agg(pl.col("since").min())
    kind = pl.when(pl.col("since") == 0).then(0).when(pl.col("since") < DAY_MS).then(1).otherwise(2)
    return (
        asked.select(KEY)
        .unique(maintain_order=True)
        .join(nearest, on=KEY, how="left", maintain_order="left")
        .with_columns(kind=pl.when(pl.col("since").is_null()).then(3).otherwise(kind))
        .sort(pl.struct(KEY).hash(seed=0))
        .with_columns(turn=pl.int_range(pl.len()).over("kind"))
        .sort("turn", "kind", maintain_order=True)
        .head(size)
        .select(KEY)
    )


def _since_unknown_fraud(asked: pl.DataFrame, frauds: pl.DataFrame, name: str) -> pl.DataFrame:
    """KEY and ms since the last fraud of the same entity, of rows at whose time it was not known."""
    last = frauds.drop_nulls(name).select(name, "known_at_ms", fraud_ms="ts_ms")
    found = asked.drop_nulls(name).join_asof(
        last, left_on="ts_ms", right_on="fraud_ms", by=name, check_sortedness=False
    )
    unknown = found.filter(pl.col("known_at_ms") > pl.col("ts_ms"))
    return unknown.select(*KEY, since=pl.col("ts_ms") - pl.col("fraud_ms"))
