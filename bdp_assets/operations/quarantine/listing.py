"""How many rows stand in quarantine, by day, reason and source, and which command takes care of them."""

from __future__ import annotations

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.contracts.dead_letters import is_of_source
from bdp_assets.ingest.landing import NOT_DECODABLE
from bdp_assets.ingest.tables import rows
from bdp_assets.ingest.validation import SOURCE as HISTORY
from bdp_assets.operations.quarantine.rows import STATUS, Filter, refused

GROUP = [EVENT_DATE, "error", "field", "source_topic", STATUS]


def groups(lake: Lake, chosen: Filter) -> pl.DataFrame:
    """Columns day, error, field, source, status, rows, goes_back_by; oldest day first.

    Rows that came by a topic have no status here: `bdp dlq` knows theirs.
    """
    of_topics = rows(lake, "quarantined", None, chosen.days, pl.col("source_topic") != HISTORY)
    found = pl.concat(
        [refused(lake, chosen.days), of_topics.with_columns(pl.lit(None, pl.String).alias(STATUS))],
        how="diagonal",
    )
    counted = found.filter(chosen.expression()).group_by(GROUP).len("rows").sort(GROUP)
    ways = [_way(source, error) for source, error in counted.select("source_topic", "error").iter_rows()]
    return counted.rename({EVENT_DATE: "day", "source_topic": "source"}).with_columns(
        goes_back_by=pl.Series(ways, dtype=pl.String)
    )


def _way(source: str, error: str) -> str:
    if source == HISTORY:
        return "bdp quarantine"
    if is_of_source(source):
        return "its source"
    # No record of its topic, where only the platform's workers should write: there is no door for it.
    return "" if error == NOT_DECODABLE else "bdp dlq"
