"""A chunk's rows as they would arrive: what goes to the raw topic, and what the contract refuses.

The same expressions as the history door's, and the same contract as the stream's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.ingest import encode
from bdp_assets.ingest.mapping import Mapping
from bdp_assets.ingest.sources.chunk import Chunk
from bdp_assets.ingest.surely_valid import surely_valid

UNREADABLE = "unreadable_row"


class Sendable(NamedTuple):
    """`value`: canonical JSON of `transactions-raw-v1`."""

    place: int
    customer_id: str
    value: bytes


class Rejected(NamedTuple):
    """Why a row is not sent; `says` never holds a value of it."""

    place: int
    original: bytes
    error: str
    field: str | None
    says: str


Arrival = Sendable | Rejected


def arrivals(chunk: Chunk, mapping: Mapping, *, now_ms: int) -> Iterator[Arrival]:
    """Each of the chunk's rows; `now_ms` is the clock of the contract's time bounds. Raises MappingError."""
    for row in chunk.unreadable:
        yield Rejected(row.place, row.original, UNREADABLE, None, row.says)
    for index, (text, customer_id, sure) in enumerate(_values(chunk.frame, mapping, now_ms)):
        value = text.encode()
        if sure:
            yield Sendable(chunk.places[index], customer_id, value)
            continue
        try:
            transaction = decode_transaction(value, received_ms=now_ms)
        except ContractError as error:
            place, original = chunk.places[index], chunk.original(index)
            yield Rejected(place, original, error.code, error.field, error.message)
        else:
            yield Sendable(chunk.places[index], transaction.customer_id, value)


def _values(frame: pl.DataFrame, mapping: Mapping, now_ms: int) -> Iterator[tuple[str, str, bool]]:
    """Canonical JSON, the customer, and whether the contract surely takes it."""
    if frame.is_empty():
        return
    fields, schema = mapping.fields, frame.schema
    values = frame.select(
        value=encode.value(fields, schema),
        customer_id=encode.text(fields.customer_id, schema),
        timestamp=encode.time_text(fields.timestamp, schema),
    )
    sure = values.select(surely_valid(pl.col("value"), pl.col("timestamp"), now_ms=now_ms)).to_series()
    yield from zip(values["value"].to_list(), values["customer_id"].to_list(), sure.to_list(), strict=True)
