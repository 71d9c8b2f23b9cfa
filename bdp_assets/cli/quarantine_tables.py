"""Quarantined rows and what became of them, for a terminal and for programs; card numbers are masked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
from rich.console import RenderableType
from rich.table import Table

from bdp_assets.contracts.dead_letters import printable
from bdp_assets.operations.dead_letters.entries import NOT_REPLAYABLE
from bdp_assets.operations.dead_letters.tables import kept_table
from bdp_assets.operations.quarantine.fixing import Report
from bdp_assets.operations.quarantine.rows import Row

WIDTH = 100
"""Characters of a row that a line has room for; `show` has all."""
STORE = "The online store does not know them yet: `bdp features rebuild-online`."


def groups_table(groups: pl.DataFrame) -> Table:
    return _table(groups.rename({"goes_back_by": "goes back by"}))


def audit_table(acts: pl.DataFrame) -> Table:
    return _table(acts.with_columns(pl.col("when").dt.strftime("%Y-%m-%d %H:%M:%SZ")))


def _table(frame: pl.DataFrame) -> Table:
    table = Table(*frame.columns, box=None, pad_edge=False)
    for row in frame.iter_rows():
        table.add_row(*("" if value is None else str(value) for value in row))
    return table


def rows_table(rows: Sequence[Row]) -> Table:
    """One line a row."""
    note = NOT_REPLAYABLE if any(row.letter.masked for row in rows) else None
    columns = ("place", "error", "field", "status", "row")
    table = Table(*columns, box=None, pad_edge=False, caption=note, caption_justify="left")
    for row in rows:
        text = " ".join(printable(row.original).split())
        shown = text if len(text) <= WIDTH else text[:WIDTH] + " ..."
        table.add_row(str(row.place), row.letter.error, row.letter.field or "", row.status, shown)
    return table


def row_lines(row: Row) -> Iterator[str]:
    """One row, line by line; its text comes last."""
    letter = row.letter
    field = f" (field {letter.field})" if letter.field else ""
    yield f"{letter.error}{field}: {letter.message}"
    if row.acted_ms is None:
        yield f"status {row.status}"
    else:
        moment = datetime.fromtimestamp(row.acted_ms / 1000, UTC)
        yield f"status {row.status}, by {row.by} at {moment:%Y-%m-%d %H:%M:%SZ} ({row.act_id})"
        yield f"corrected to {row.value}"
    for hash_ in letter.pan_hashes:
        yield f"card number with the keyed hash {hash_}"
    masked = "; card numbers are masked" if letter.masked else ""
    yield f"original, {len(row.original):,} bytes{masked}:"
    yield printable(row.original)


def as_json(row: Row) -> dict[str, Any]:
    letter = row.letter
    return {
        "place": str(row.place),
        "error": letter.error,
        "field": letter.field,
        "message": letter.message,
        "masked": letter.masked,
        "status": row.status,
        "by": row.by,
        "act_id": row.act_id,
        "corrected": row.value,
        "original": printable(row.original),
    }


def report_parts(report: Report, verb: str, *, rehearsed: bool) -> Iterator[RenderableType]:
    """What was done, in a sentence; changed bodies in a rehearsal; and what was not, by reason."""
    if rehearsed:
        yield from (f"{one.row.place} -> {one.value.decode()}" for one in report.done)
    for error, rows in Counter(one.row.letter.error for one in report.done).most_common():
        yield f"{'would be ' if rehearsed else ''}{verb}: {rows:,} {error}"
    if report.done and not rehearsed:
        yield report.act_id
    if report.days:
        yield f"Days {report.days[0]} to {report.days[1]} have what was released. {STORE}"
    if report.kept:
        yield f"{'would stay' if rehearsed else 'not ' + verb}: {len(report.kept):,}"
        yield kept_table(report.kept, "rows")
    if not (report.done or report.kept or report.days):
        yield "No row matches."


def report_json(report: Report) -> dict[str, Any]:
    return {
        "act_id": report.act_id if report.done else None,
        "done": [{"place": str(one.row.place), "body": one.value.decode()} for one in report.done],
        "kept": [{**one._asdict(), "place": str(one.place)} for one in report.kept],
        "days": [day.isoformat() for day in report.days or ()],
    }
