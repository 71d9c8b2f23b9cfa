"""Customers and merchants: each member that a fact names, with what its last event said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from bdp_assets.clients.postgres import Connection, upsert


@dataclass(frozen=True)
class Dimension:
    """A table of members; `attributes` are columns of facts, where a fact has them."""

    table: str
    id: str
    attributes: tuple[str, ...]

    def members(self, facts: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """A row for each member that the facts name: first and last event, attributes as last known."""
        wanted = {self.id, "occurred_at", *self.attributes}
        seen = pl.concat(
            [
                fact.select(name for name in fact.columns if name in wanted)
                for fact in facts
                if self.id in fact
            ],
            how="diagonal",
        )
        known = (pl.col(name).drop_nulls().last() for name in self.attributes)
        return (
            seen.drop_nulls(self.id)
            .sort("occurred_at")
            .group_by(self.id, maintain_order=True)
            .agg(
                pl.col("occurred_at").first().alias("first_at"),
                pl.col("occurred_at").last().alias("last_at"),
                *known,
            )
        )

    def load(self, connection: Connection, members: pl.DataFrame) -> int:
        """Add and widen members, whatever the order of the days; how many are new or changed.

        Commits nothing.
        """
        merged = {
            "first_at": "least(stored.first_at, excluded.first_at)",
            "last_at": "greatest(stored.last_at, excluded.last_at)",
            **{name: _latest(name) for name in self.attributes},
        }
        return upsert(connection, self.table, members, [self.id], merged=merged)


def _latest(name: str) -> str:
    """Of two values the later known one; nulls say nothing."""
    return (
        f"CASE WHEN excluded.last_at >= stored.last_at THEN coalesce(excluded.{name}, stored.{name}) "
        f"ELSE coalesce(stored.{name}, excluded.{name}) END"
    )


DIMENSIONS = (
    Dimension("warehouse.customers", "customer_id", ("country",)),
    Dimension("warehouse.merchants", "merchant_id", ("country", "merchant_category")),
)
