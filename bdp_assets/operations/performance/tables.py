"""Figures and decay in the warehouse: a midnight's are replaced as a whole."""

from __future__ import annotations

import polars as pl

from bdp_assets.clients.postgres import session, upsert
from bdp_assets.operations.performance.figures import SCHEMA
from bdp_assets.operations.performance.measuring import Performance
from bdp_assets.operations.performance.proposal import DECAY
from bdp_assets.settings import Settings

FIGURES = "warehouse.model_performance"
_FIGURE = ("as_of", "role", "model_version", "segment", "member")
_DECAY: dict[str, pl.DataType] = {
    "as_of": pl.Date(),
    "model_version": pl.String(),
    "registered": pl.Float64(),
    "matured": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "bound": pl.Float64(),
    "transactions": pl.Int64(),
    "frauds": pl.Int64(),
}


def keep(settings: Settings, found: Performance) -> None:
    """Put a midnight's figures in the place of those that it had. Raises WarehouseUnavailable."""
    window = found.window
    days = {"as_of": window.as_of, "first_day": window.first, "last_day": window.last}
    figures = found.figures.select(*(pl.lit(day).alias(name) for name, day in days.items()), *SCHEMA)
    decays = pl.DataFrame([vars(one) for one in found.decays], schema=_DECAY)
    with session(settings) as connection:
        for table in (FIGURES, DECAY):
            connection.execute(f"DELETE FROM {table} WHERE as_of = %s", [window.as_of])  # noqa: S608 - ours
        upsert(connection, FIGURES, figures, _FIGURE)
        upsert(
            connection, DECAY, decays.with_columns(is_decayed=_is_decayed(found)), ("as_of", "model_version")
        )


def _is_decayed(found: Performance) -> pl.Series:
    return pl.Series([one.is_decayed for one in found.decays], dtype=pl.Boolean)
