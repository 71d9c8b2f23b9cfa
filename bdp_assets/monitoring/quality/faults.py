"""Which of our checks a fault of the audit belongs to: Pandera looks at all of them in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from bdp_assets.monitoring.quality.findings import Check, Finding

_PREFIXES = {
    "column_in_": Check.SCHEMA,
    "dtype(": Check.SCHEMA,
    "not_nullable": Check.NULLS,
    "multiple_fields_uniqueness": Check.UNIQUENESS,
}
"""All others are of values: ranges, lengths, enumerations, event dates."""


def findings(
    table: str, day: date, rows: int, faults: pl.DataFrame, *, has_key: bool
) -> Mapping[Check, Finding]:
    """The audit of a day's rows (`contracts.frames.FAILURES`) as a finding for each kind of it.

    A fault of a whole column is one of all rows. `has_key`: whether the audit knows a key of the table; else
    there is no finding of its uniqueness.
    """
    named = {check: faults.filter(_kind() == check.value) for check in dict.fromkeys(_PREFIXES.values())}
    named[Check.RANGES] = faults.filter(_kind().is_null())
    wanted = [check for check in named if has_key or check is not Check.UNIQUENESS]
    return {
        check: Finding(
            table, day, check, "rows", rows, _failed(check, named[check], rows), _told(named[check])
        )
        for check in wanted
    }


def _kind() -> pl.Expr:
    kind = pl.lit(None, pl.String)
    for prefix, check in _PREFIXES.items():
        kind = pl.when(pl.col("check").str.starts_with(prefix)).then(pl.lit(check.value)).otherwise(kind)
    return kind


def _failed(check: Check, faults: pl.DataFrame, rows: int) -> int:
    """A row with two faults counts twice, as far as there are rows."""
    if check is Check.SCHEMA:
        return rows if len(faults) else 0
    return min(rows, int(faults["count"].sum()))


def _told(faults: pl.DataFrame) -> str:
    lines = [
        f"{column or 'key'}: {check} ({count:,} rows)" if row is not None else f"{column}: {check}"
        for check, column, count, row in faults.iter_rows()
    ]
    return "; ".join(lines)
