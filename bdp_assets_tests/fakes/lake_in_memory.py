"""Tables that are frames: for properties whose every case would be a Delta table on disk."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from bdp_assets.clients.lake import Lake


class LakeInMemory(Lake):
    """Reads only."""

    def __init__(self, tables: Mapping[str, pl.DataFrame]) -> None:
        super().__init__("memory")
        self.tables = tables

    def exists(self, table: str) -> bool:
        return table in self.tables

    def scan(self, table: str, version: int | None = None) -> pl.LazyFrame:
        return self.tables[table].lazy()
