"""What a chunk's rows say of themselves: label events of those whose column says fraud.

Only frauds have one, as at the history door: no label means honest. Labels in a file of their own are for
that door alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from bdp_assets.contracts.codec import encode
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.labels import decode_label
from bdp_assets.ingest.history import label_columns
from bdp_assets.ingest.mapping import LabelFields, Mapping
from bdp_assets.ingest.sources.arrivals import Arrival, Rejected, Sendable
from bdp_assets.ingest.sources.chunk import Chunk


def told_labels(chunk: Chunk, mapping: Mapping, rows: Sequence[Arrival], *, now_ms: int) -> Iterator[Arrival]:
    """Values of `fraud-labels-v1`, of the chunk's `rows` that are sent; `now_ms` is the contract's clock.

    What a source says by now is known by now: a time that is later, or that nobody can read, is now.
    """
    rules = mapping.labels
    if rules is None or rules.file is not None or chunk.frame.is_empty():
        return
    sent = {row.place for row in rows if isinstance(row, Sendable)}
    about = LabelFields(**{name: getattr(mapping.fields, name) for name in LabelFields.model_fields})
    found = (
        chunk.frame.with_row_index("row")
        .select("row", **label_columns(rules, about, chunk.frame.schema))
        .filter(pl.col("is_fraud") & pl.Series([place in sent for place in chunk.places]))
        .with_columns(pl.min_horizontal("known_at_ms", pl.lit(now_ms)).fill_null(now_ms))
    )
    for label in found.iter_rows(named=True):
        yield _judged(chunk.places[label.pop("row")], encode(label), now_ms)


def _judged(place: int, value: bytes, now_ms: int) -> Arrival:
    try:
        label = decode_label(value, received_ms=now_ms)
    except ContractError as error:
        return Rejected(place, value, error.code, error.field, error.message)
    return Sendable(place, label.customer_id, value)
