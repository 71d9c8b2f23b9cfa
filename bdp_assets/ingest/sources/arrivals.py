"""A chunk's rows as they would arrive: what goes to the raw topic, and what the contract refuses.

The same expressions as the history door's, and the same contract as the stream's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


class Judged(NamedTuple):
    """A chunk's rows, as columns: what is sent in the rows' order, and what is refused.

    `values`: canonical JSON, as long as `places` and `customer_ids`.
    """

    places: Sequence[int]
    customer_ids: Sequence[str]
    values: Sequence[str]
    rejected: Sequence[Rejected]


def arrivals(chunk: Chunk, mapping: Mapping, *, now_ms: int) -> Iterator[Arrival]:
    """Each of the chunk's rows, in order; as `judged`."""
    found = judged(chunk, mapping, now_ms=now_ms)
    sent = (
        Sendable(place, customer_id, value.encode())
        for place, customer_id, value in zip(found.places, found.customer_ids, found.values, strict=True)
    )
    rows: list[Arrival] = [*sent, *found.rejected]
    yield from sorted(rows, key=lambda row: row.place)


def judged(chunk: Chunk, mapping: Mapping, *, now_ms: int) -> Judged:
    """All of the chunk's rows; `now_ms` is the clock of the contract's time bounds. Raises MappingError.

    Whole columns where the contract surely takes them, without an object a row.
    """
    rejected = [Rejected(row.place, row.original, UNREADABLE, None, row.says) for row in chunk.unreadable]
    if chunk.frame.is_empty():
        return Judged((), (), (), rejected)
    values, customer_ids, sure = _columns(chunk.frame, mapping, now_ms)
    if sure.all():
        return Judged(chunk.places, customer_ids, values, rejected)
    kept = []
    for row, is_sure in enumerate(sure):
        refused = None if is_sure else _refused(chunk, row, values[row], now_ms)
        if refused is None:
            kept.append(row)
        else:
            rejected.append(refused)
    return Judged(
        [chunk.places[row] for row in kept],
        [customer_ids[row] for row in kept],
        [values[row] for row in kept],
        rejected,
    )


def _refused(chunk: Chunk, row: int, value: str, now_ms: int) -> Rejected | None:
    try:
        decode_transaction(value.encode(), received_ms=now_ms)
    except ContractError as error:
        return Rejected(chunk.places[row], chunk.original(row), error.code, error.field, error.message)
    return None


def _columns(frame: pl.DataFrame, mapping: Mapping, now_ms: int) -> tuple[list[str], list[str], pl.Series]:
    """Canonical JSON, the customer, and whether the contract surely takes it."""
    fields, schema = mapping.fields, frame.schema
    found = frame.select(
        value=encode.value(fields, schema),
        customer_id=encode.text(fields.customer_id, schema),
        timestamp=encode.time_text(fields.timestamp, schema),
    )
    sure = found.select(surely_valid(pl.col("value"), pl.col("timestamp"), now_ms=now_ms)).to_series()
    return found["value"].to_list(), found["customer_id"].to_list(), sure
