"""As served, from tables: what the online store answered, recomputed from the apply sequences it gave out."""

from __future__ import annotations

import numpy as np
import polars as pl

from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.kernel import Engine
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import Batch, pack, record_width
from bdp_assets.features.served import Answering, Seen
from bdp_assets.features.spec import Catalog


def as_served(catalog: Catalog, applied: pl.DataFrame, asked: pl.DataFrame) -> Floats:
    """Windows of customers and their pairs as they were served, float64 [rows asked, features].

    `applied`: all transactions of the customers asked, with `apply_seq` and the catalog's columns. `asked`:
    some of these rows. Windows of shared entities have their defaults, and row features are computed from
    what is there.
    """
    layout = Layout(catalog, "")
    newest_yet = pl.col("ts_ms").cum_max().over("customer_id")
    ordered = applied.sort("customer_id", "apply_seq").with_columns(newest=newest_yet)
    packed, first = _packed(layout, ordered)
    begin = asked.join(first, on="customer_id", how="left", maintain_order="left")
    own = asked["apply_seq"].to_numpy()
    sequences = ordered["apply_seq"].to_numpy()
    seen = [
        _before(sequences, int(at), int(size), int(seq))
        for at, size, seq in zip(begin["at"], begin["size"], own, strict=True)
    ]
    width = 8 * record_width(layout.ids)
    newest = ordered["newest"].to_numpy()
    ts = asked["ts_ms"].to_numpy()
    none = [b""] * len(asked)
    what = Seen(
        records=[packed[at * width : end * width] for at, end in seen],
        folded=none,
        pairs={},
        sequence=own,
        newest=np.array(
            [newest[end - 1] if end > at else ts[i] for i, (at, end) in enumerate(seen)], dtype=np.int64
        ),
        shared={},
    )
    return Answering(Engine(catalog), layout).vectors(Batch.of_table(asked, catalog.ids), what)


def _before(sequences: Ints, at: int, size: int, sequence: int) -> tuple[int, int]:
    """Where a customer's events with a smaller sequence begin and end."""
    return at, at + int(sequences[at : at + size].searchsorted(sequence))


def _packed(layout: Layout, ordered: pl.DataFrame) -> tuple[bytes, pl.DataFrame]:
    """All events as records, and where each customer's begin (at) and how many they are (size)."""
    moments = ordered.select("apply_seq", "ts_ms", "newest").to_numpy().astype(np.int64)
    kept = Batch.of_table(ordered, layout.ids).kept(layout.ids)
    first = (
        ordered.with_row_index("at").group_by("customer_id").agg(pl.col("at").first(), pl.len().alias("size"))
    )
    return pack(moments, None, kept), first
