"""Tables that are frames: for properties whose every case would be a Delta table on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE


class LakeInMemory(Lake):
    """Reads only."""

    def __init__(self, tables: Mapping[str, pl.DataFrame]) -> None:
        super().__init__("memory")
        self.tables = tables

    def exists(self, table: str) -> bool:
        return table in self.tables

    def scan(self, table: str, version: int | None = None) -> pl.LazyFrame:
        return self.tables[table].lazy()

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        dates: tuple[date, date] | None = None,
        filters: pl.Expr | None = None,
        version: int | None = None,
    ) -> pl.DataFrame:
        rows = self.scan(table)
        if dates is not None:
            rows = rows.filter(pl.col(EVENT_DATE).is_between(*map(pl.lit, dates)))
        if filters is not None:
            rows = rows.filter(filters)
        return (rows.select(columns) if columns else rows).collect()
