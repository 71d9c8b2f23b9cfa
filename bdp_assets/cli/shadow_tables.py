"""How a challenger in the champion's shadow looks in a terminal."""

from __future__ import annotations

import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table

from bdp_assets.cli.model_tables import differences_table
from bdp_assets.cli.policy_tables import costs_said
from bdp_assets.operations.shadow import tables
from bdp_assets.operations.shadow.comparison import Comparison


def shadowed(compared: Comparison) -> Group:
    """The transactions, the figures, decisions that differ, how far scores are apart, what labels say."""
    note = (
        f"Challenger {compared.challenger} in the shadow of {', '.join(compared.champions)}, "
        f"{compared.first} to {compared.last}: {len(compared.rows):,} live transactions, "
        f"{compared.changed:,} with another decision"
    )
    return Group(
        note,
        f"at these costs: {costs_said(compared.costs)}",
        _table(tables.live_table(compared)),
        _table(tables.changes_table(compared)),
        "Challenger's score less the champion's, up to which share of the transactions:",
        _table(tables.differences_table(compared)),
        *_matured(compared),
    )


def _matured(compared: Comparison) -> list[RenderableType]:
    if compared.matured is None:
        return [f"Who was right is not known yet: {compared.waits}."]
    matured = compared.matured
    note = (
        f"With labels, {matured.first} to {matured.last}: {matured.transactions:,} transactions, "
        f"{matured.frauds:,} known frauds"
    )
    sides = f"challenger {compared.challenger}", f"champion {', '.join(compared.champions)}"
    return [note, differences_table(*sides, matured.figures)]


def _table(frame: pl.DataFrame) -> Table:
    table = Table()
    for name, dtype in frame.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left")
    for row in frame.iter_rows():
        table.add_row(*map(_cell, row))
    return table


def _cell(value: object) -> str:
    match value:
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.0f}" if value.is_integer() and abs(value) >= 1 else f"{value:,.4f}"
        case _:
            return str(value)
