"""Columns of the lake's tables: new ones are added without touching a row; other types stay as they are."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.ingest.tables import TABLES
from bdp_assets.operations.upgrade.state import State
from bdp_assets.settings import Settings

NAME = "lake"


def examine(settings: Settings) -> State:
    """Columns that the code does not know stay: older catalogs left them. Raises LakeUnavailable."""
    lake = Lake.of(settings)
    there = [table for table in TABLES if lake.exists(table)]
    found, needed = f"{len(there)} tables", f"columns of {len(TABLES)} tables"
    if not there:
        return State(NAME, "nothing", needed, "absent")
    schemas = {table: lake.scan(table).collect_schema() for table in there}
    if wrong := [name for table in there for name in _other_types(schemas[table], TABLES[table])]:
        do = f"Of another type than this version reads: {', '.join(wrong)}. See docs/upgrade.md."
        return State(NAME, found, needed, "by hand", do)
    if lacking := [f"{table}: {', '.join(names)}" for table, names in _all_lacking(schemas)]:
        return State(
            NAME, found, needed, "due", f"Add columns ({'; '.join(lacking)}); older rows have nulls."
        )
    return State(NAME, found, needed, "current")


def add_columns(settings: Settings) -> None:
    """A commit without rows, and none where nothing lacks. Raises LakeUnavailable."""
    lake = Lake.of(settings)
    schemas = {table: lake.scan(table).collect_schema() for table in TABLES if lake.exists(table)}
    for table, _ in _all_lacking(schemas):
        lake.append(table, pl.DataFrame(schema=TABLES[table]))


def _all_lacking(schemas: dict[str, pl.Schema]) -> Iterator[tuple[str, list[str]]]:
    for table, schema in schemas.items():
        if lacking := [name for name in TABLES[table] if name not in schema]:
            yield table, lacking


def _other_types(schema: pl.Schema, needed: pl.Schema) -> list[str]:
    return [name for name, dtype in needed.items() if name in schema and schema[name] != dtype]
