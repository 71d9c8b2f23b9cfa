"""Sources and their rows as tables."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from bdp_assets.contracts.pan import mask_pans
from bdp_assets.ingest.mapping import MappingError
from bdp_assets.ingest.sources.arrivals import Rejected, Sendable
from bdp_assets.ingest.sources.entry import Source
from bdp_assets.operations.ingest.run import Summary
from bdp_assets.operations.source_preview import Preview


def sources_table(found: Mapping[str, Source | MappingError]) -> Table:
    table = Table("name", "kind", "where", "rows a batch", "usable")
    for name, source in found.items():
        if isinstance(source, Source):
            table.add_row(name, source.kind, source.where, f"{source.batch_rows:,}", "yes")
        else:
            table.add_row(name, "", "", "", "no: see below")
    return table


def preview_table(shown: Preview, pan_key: bytes) -> Table:
    """Values that are going to travel, and why others are not; card numbers masked."""
    table = Table("row", "", "as it would arrive, or why not", title=shown.where)
    for row in shown.rows:
        if isinstance(row, Sendable):
            table.add_row(str(row.place), "sent", row.value.decode())
        else:
            table.add_row(str(row.place), "rejected", _reason(row), style="yellow")
            table.add_row("", "", mask_pans(row.original, pan_key)[0].decode(errors="replace"))
    return table


def _reason(row: Rejected) -> str:
    place = f" {row.field}" if row.field else ""
    return f"{row.error}{place}: {row.says}"


def summary_table(name: str, summary: Summary) -> Table:
    speed = summary.read / summary.seconds if summary.read else 0
    table = Table(name, "rows", title=f"{summary.seconds:.1f} s, {speed:,.0f} rows/s")
    table.add_row("read", f"{summary.read:,}")
    table.add_row("sent", f"{summary.sent:,}")
    table.add_row("rejected", f"{summary.rejected.total():,}")
    for reason, count in summary.rejected.most_common():
        table.add_row(f"  {reason}", f"{count:,}")
    if summary.labels or summary.labels_rejected:
        table.add_row("labels sent", f"{summary.labels:,}")
        table.add_row("labels rejected", f"{summary.labels_rejected:,}")
    return table
