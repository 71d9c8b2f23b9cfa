"""What a chunk's rows say of themselves: label events of those whose column says fraud.

Only frauds have one, as at the history door: no label means honest. Labels in a file of their own are for
that door alone.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from bdp_assets.contracts.codec import encode
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.labels import decode_label
from bdp_assets.ingest.history import label_columns
from bdp_assets.ingest.mapping import LabelFields, Mapping
from bdp_assets.ingest.sources.arrivals import Judged, Rejected
from bdp_assets.ingest.sources.chunk import Chunk

NONE = Judged((), (), (), ())


def told_labels(chunk: Chunk, mapping: Mapping, sent: Collection[int], *, now_ms: int) -> Judged:
    """Values of `fraud-labels-v1`, of the rows at the places that are `sent`; `now_ms`: the contract's clock.

    What a source says by now is known by now: a time that is later, or that nobody can read, is now.
    """
    rules = mapping.labels
    if rules is None or rules.file is not None or chunk.frame.is_empty():
        return NONE
    places = set(sent)
    about = LabelFields(**{name: getattr(mapping.fields, name) for name in LabelFields.model_fields})
    found = (
        chunk.frame.with_row_index("row")
        .select("row", **label_columns(rules, about, chunk.frame.schema))
        .filter(pl.col("is_fraud") & pl.Series([place in places for place in chunk.places]))
        .with_columns(pl.min_horizontal("known_at_ms", pl.lit(now_ms)).fill_null(now_ms))
    )
    good, bad = [], []
    for label in found.iter_rows(named=True):
        place, value = chunk.places[label.pop("row")], encode(label)
        try:
            good.append((place, decode_label(value, received_ms=now_ms).customer_id, value.decode()))
        except ContractError as error:
            bad.append(Rejected(place, value, error.code, error.field, error.message))
    places_, customer_ids, values = zip(*good, strict=True) if good else ((), (), ())
    return Judged(places_, customer_ids, values, bad)
