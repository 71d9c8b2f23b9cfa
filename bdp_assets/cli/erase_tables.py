"""What there is of a customer, and what was erased, for a terminal; the customer's id is in neither."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table

from bdp_assets.operations.erasure.erasure import Found, Step
from bdp_assets.operations.erasure.topics import Expiry

_DAY = "%Y-%m-%d"


def found_parts(found: Found) -> Iterator[RenderableType]:
    if found.last_erased is not None:
        yield f"Erased before, at {found.last_erased:%Y-%m-%d %H:%M} UTC; what came since:"
    yield _stores(found)
    if found.models:
        yield f"Models whose snapshots can not be read again: {', '.join(found.models)}"
    if found.spool_files:
        yield (
            f"The API's spool has messages of this customer ({found.spool_files} files) that Kafka may "
            "lack. Erase again once it has them."
        )
    yield _topics(found.topics)


def steps_table(done: Sequence[Step]) -> Table:
    table = Table("erased from", "things", box=None, pad_edge=False)
    for step, things in done:
        if things:
            table.add_row(step, f"{things:,}")
    table.add_row("complete", "")
    return table


def _stores(found: Found) -> Table:
    table = Table("store", "things", "", box=None, pad_edge=False)
    for name, (rows, old_files) in found.lake.items():
        table.add_row(f"lake.{name}", f"{rows:,} rows", f"{old_files:,} old files" if old_files else "")
    for name, rows in found.warehouse.items():
        table.add_row(f"warehouse.{name}", f"{rows:,} rows", "")
    table.add_row("online store", f"{found.store_keys:,} keys", "")
    table.add_row("lists", f"{found.list_entries:,} entries", "")
    return table


def _topics(expiries: Sequence[Expiry]) -> Table:
    ends = [expiry.ends for expiry in expiries if expiry.ends is not None]
    last = f"Nothing that the topics hold now is left after {max(ends):{_DAY}}." if ends else None
    table = Table(
        "topic", "retention", "gone by (UTC)", box=None, pad_edge=False, caption=last, caption_justify="left"
    )
    for expiry in expiries:
        gone = f"{expiry.ends:{_DAY}}" if expiry.ends else "holds nothing"
        table.add_row(expiry.topic, f"{expiry.retention_days} days", gone)
    return table
