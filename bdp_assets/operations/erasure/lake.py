"""The lake's part: rows are removed from every table, with the files and the log that still had them.

Removed and not given a pseudonym: a row has places, devices, addresses and times to the millisecond, which
tell who it was, and `raw` and `quarantined` have what was sent, as it was sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from bdp_assets.clients import lake_erasure
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.lake_erasure import Rows, Traces
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.features.spec import MERCHANT_ID
from bdp_assets.ingest.erased import CUSTOMER, about, may_name, note_merchants
from bdp_assets.ingest.tables import TABLES, rows
from bdp_assets.operations.erasure.customer import Customer

LETTER = ("source_topic", "source_partition", "source_offset", "received_ms")


def find(lake: Lake, customer: Customer) -> Mapping[str, Traces]:
    """Tables that have something of the customer. Changes nothing."""
    found = {t: lake_erasure.find(lake, t, _rows_of(customer)) for t in TABLES if lake.exists(t)}
    return {table: traces for table, traces in found.items() if traces}


def letters(lake: Lake, customer: Customer) -> pl.DataFrame:
    """Where the refused messages of the customer stood: the columns of LETTER."""
    known = rows(lake, "quarantined", [*LETTER, "value_base64"])
    return known.filter(about(known, customer.is_meant_by)).select(LETTER)


def erase(lake: Lake, customer: Customer) -> Iterator[tuple[str, int, int]]:
    """Each table that had something, as it is done: its name, rows and old files removed.

    Raises LakeBusy.
    """
    visits = rows(lake, "enriched", [MERCHANT_ID, EVENT_DATE], filters=pl.col(CUSTOMER) == customer.id)
    note_merchants(lake, visits)
    for table in TABLES:
        if lake.exists(table):
            removed, old_files = lake_erasure.erase(lake, table, _rows_of(customer))
            if removed or old_files:
                yield table, removed, old_files


def _rows_of(customer: Customer) -> Rows:
    return Rows(
        likely=lambda columns: may_name(columns, customer.id),
        are=lambda frame: about(frame, customer.is_meant_by),
    )
