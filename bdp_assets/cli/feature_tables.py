"""How features look in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from bdp_assets.features.lookup import Known
from bdp_assets.features.spec import Catalog


def described(catalog: Catalog) -> Table:
    table = Table(title=f"{len(catalog.names)} features, catalog {catalog.version}")
    for column in ("name", "definition", "unit", "description"):
        table.add_column(column, overflow="fold")
    for row in catalog.describe():
        table.add_row(*(escape(text) for text in row.values()))
    return table


def valued(known: Known) -> Table:
    table = Table("feature", "value", title=f"For a transaction at {_time(known.at_ms)}")
    for name, value in known.values.items():
        table.add_row(name, f"{value:,.6g}")
    return table


def stored(known: Known, last: int) -> Table:
    """The last rows of the state; times in UTC."""
    table = Table(*known.state[0], title=f"{len(known.state)} stored, the last {min(last, len(known.state))}")
    for row in known.state[-last:]:
        table.add_row(
            *(_time(value) if name.endswith("_ms") else f"{value:,}" for name, value in row.items())
        )
    return table


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")
