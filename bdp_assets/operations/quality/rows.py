"""The checks of a day's rows: what the audit before publishing says of them now, keys, and references."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.audit import audit
from bdp_assets.ingest.tables import TABLES
from bdp_assets.monitoring.quality.faults import findings
from bdp_assets.monitoring.quality.findings import Check, Finding
from bdp_assets.operations.quality.catalog import Reference, Watched

_VERSION = "catalog_version"


def check_rows(lake: Lake, watched: Watched, day: date, until_ms: int) -> Iterator[Finding]:
    """Findings of the table's rows of a day, all of which are in memory meanwhile.

    `until_ms`: rows from this time on are not asked for what they refer to, which may be on its way.
    """
    rows = lake.read(watched.table, dates=(day, day))
    faults = pl.concat([audit(watched.table, part) for part in _by_catalog(watched.table, rows)])
    yield from findings(watched.table, day, len(rows), faults, has_key=watched.audited_key).values()
    if watched.key and set(watched.key) <= set(rows.columns):
        yield _repeated_keys(watched, day, rows)
    if watched.refers:
        settled = rows.filter(pl.col(watched.time_ms) < until_ms)
        yield _lost_references(lake, watched.table, watched.refers, day, settled)


def _by_catalog(table: str, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows as they were published: those of another catalog have its features and no others."""
    if _VERSION not in rows.columns or CATALOG.names[0] not in TABLES[table]:
        yield rows
        return
    yield rows.filter(pl.col(_VERSION).eq_missing(CATALOG.version))
    others = rows.filter(pl.col(_VERSION).ne_missing(CATALOG.version))
    for part in others.partition_by(_VERSION):
        yield part.select(name for name in part.columns if _has(part, name))


def _has(part: pl.DataFrame, name: str) -> bool:
    return name not in CATALOG.names or part[name].null_count() < len(part)


def _repeated_keys(watched: Watched, day: date, rows: pl.DataFrame) -> Finding:
    keys = rows.select(watched.key).drop_nulls()
    repeated = int(keys.is_duplicated().sum())
    told = f"the same {', '.join(watched.key)} ({repeated:,} rows)" if repeated else ""
    return Finding(watched.table, day, Check.UNIQUENESS, "rows", len(keys), repeated, told)


def _lost_references(lake: Lake, table: str, reference: Reference, day: date, rows: pl.DataFrame) -> Finding:
    wanted = TABLES[reference.to]
    lacking = sorted(reference.columns.keys() - set(rows.columns))
    if lacking:
        told = f"not judged: the table has no {', '.join(lacking)}"
        return Finding(table, day, Check.REFERENCES, "rows", 0, 0, told)
    referring = rows.select(
        pl.col(mine).cast(wanted[theirs]).alias(theirs) for mine, theirs in reference.columns.items()
    ).drop_nulls()
    lost = len(referring)
    if lost and lake.exists(reference.to):
        there = _referred(lake, reference, day, referring)
        lost = len(referring.join(there, on=referring.columns, how="anti"))
    told = f"no such row in {reference.to} ({lost:,} rows)" if lost else ""
    return Finding(table, day, Check.REFERENCES, "rows", len(referring), lost, told)


def _referred(lake: Lake, reference: Reference, day: date, referring: pl.DataFrame) -> pl.DataFrame:
    """Those of the keys that are there; files whose statistics rule them out are not opened."""
    there = lake.scan(reference.to).filter(reference.where)
    if reference.same_day:
        there = there.filter(pl.col(EVENT_DATE) == day)
    for name in referring.columns:
        least, most = pl.lit(referring[name].min()), pl.lit(referring[name].max())
        there = there.filter(pl.col(name).is_between(least, most))
    keys = there.select(referring.columns)
    return keys.join(referring.lazy(), on=referring.columns, how="semi").collect()
