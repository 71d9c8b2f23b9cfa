"""The customers' part of a rebuild: their last events, and summaries of what came before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from bdp_assets.clients.redis_exchange import Command
from bdp_assets.features.aggregates import Ints
from bdp_assets.features.compiled.codes import BEFORE
from bdp_assets.features.fields import event_field
from bdp_assets.features.folding import KEEP, SPARE_EVENTS, pair_fields
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import HISTORY, Batch, pack, record_width, source, transaction_key
from bdp_assets.features.spec import EXACT_EVENTS, FOLD, Entity
from bdp_assets.features.summaries import retired


@dataclass(frozen=True)
class Customers:
    """`kept`: events that are written as records, customer by customer in order of arrival, with `sequence`
    and `newest` before. `cut`: those that go into summaries, with the `horizon` of their customer (ms)."""

    kept: pl.DataFrame
    cut: pl.DataFrame


def customers_of(layout: Layout, arrived: pl.DataFrame) -> Customers:
    """`arrived`: transactions without duplicates, in order of arrival."""
    ts, sequence, place = pl.col("ts_ms"), pl.col("sequence"), pl.col("place")
    events = (
        arrived.with_columns(
            place=pl.int_range(1, pl.len() + 1).over("customer_id"),
            newest=ts.cum_max().shift(1).over("customer_id").fill_null(ts),
        )
        .with_columns(sequence=_sequence(arrived).over("customer_id"))
        .with_columns(
            last=sequence.max().over("customer_id"),
            most=place.max().over("customer_id"),
            horizon=pl.col("newest")
            .filter(place <= (place.max() - KEEP + 1).clip(1))
            .last()
            .over("customer_id")
            - layout.events_ms,
        )
        .with_columns(
            # From the front, as long as they have retired: as `folding.surplus`.
            stale=((ts <= pl.col("horizon")) & (place <= pl.col("most") - KEEP))
            .cast(pl.Int8)
            .cum_min()
            .over("customer_id")
            == 1
        )
        .sort("customer_id", maintain_order=True)
    )
    gone = pl.col("stale") | (sequence <= pl.col("last") - EXACT_EVENTS - SPARE_EVENTS)
    return Customers(events.filter(~gone), events.filter(gone))


def _sequence(arrived: pl.DataFrame) -> pl.Expr:
    """Ascending. Gaps stay: a claim whose message has not come yet fills them (see merge.lua)."""
    place = pl.col("place")
    if "apply_seq" not in arrived.columns:
        return place
    return place + (pl.col("apply_seq").fill_null(0) - place).clip(0).cum_max()


def customer_commands(layout: Layout, customers: Customers) -> Iterator[Command]:
    """Commands of one customer follow each other, the summaries first."""
    yield from _folded(layout, customers.cut)
    for entity in layout.pairs:
        yield from _paired(layout, entity, customers.cut)
    lifetime = ("EX", layout.events_s) if layout.events_s else ()
    size, first = 8 * record_width(layout.ids), 0
    moments = customers.kept.select("sequence", "ts_ms", "newest").to_numpy().astype(np.int64)
    kept = Batch.of_table(customers.kept, layout.ids).kept(layout.ids)
    keys = [transaction_key(transaction_id) for transaction_id in customers.kept["transaction_id"]]
    events, claims = pack(moments, keys, kept), _claims(customers.kept, keys)
    for length, customer_id in customers.kept["customer_id"].rle().struct.unnest().iter_rows():
        end = first + length
        yield ("SET", layout.claims(customer_id), b"".join(claims[first:end]), *lifetime)
        yield ("SET", layout.events(customer_id), events[first * size : end * size], *lifetime)
        first = end


def _folded(layout: Layout, cut: pl.DataFrame) -> Iterator[Command]:
    start = retired((cut["ts_ms"] - cut["ts_ms"] % FOLD).to_numpy(), cut["horizon"].to_numpy())
    if not layout.is_endless:
        cut, start = cut.filter(pl.Series(start != BEFORE)), start[start != BEFORE]
    names = cut["customer_id"].unique(maintain_order=True).to_list()
    code = {name: i for i, name in enumerate(names)}
    group = np.array([code[name] for name in cut["customer_id"]], dtype=np.int64)
    columns = Batch.of_table(cut, layout.ids).columns
    rows = layout.customer.rows(start, lambda f: event_field(f, columns), cut["sequence"].to_numpy())
    for i, packed in _packed(*layout.customer.merge(group, rows)):
        yield ("SET", layout.folded(names[i]), packed, *(("EX", layout.events_s) if layout.events_s else ()))


def _paired(layout: Layout, entity: Entity, cut: pl.DataFrame) -> Iterator[Command]:
    cut = cut.drop_nulls(entity.keys[1])
    columns = Batch.of_table(cut, layout.ids).columns
    fields = pair_fields(entity, columns[entity.keys[1]])
    code = {pair: i for i, pair in enumerate(dict.fromkeys(zip(cut["customer_id"], fields, strict=True)))}
    group = np.array([code[pair] for pair in zip(cut["customer_id"], fields, strict=True)], dtype=np.int64)
    summary = layout.pairs[entity]
    start = np.full(len(cut), BEFORE)
    rows = summary.rows(start, lambda f: event_field(f, columns), cut["sequence"].to_numpy())
    pairs = list(code)
    for i, packed in _packed(*summary.merge(group, rows)):
        yield ("HSET", layout.paired(pairs[i][0]), pairs[i][1], packed)


def _packed(group: Ints, table: Ints) -> Iterator[tuple[int, bytes]]:
    """Each group's rows, packed."""
    codes, first = np.unique(group, return_index=True)
    for code, rows in zip(codes.tolist(), np.split(table, first[1:]) if len(first) else [], strict=True):
        yield code, rows.astype("<i8").tobytes()


def _claims(events: pl.DataFrame, keys: Sequence[bytes]) -> list[bytes]:
    places = events["coordinates"] if "coordinates" in events.columns else [None] * len(events)
    return [
        (HISTORY if place is None else source(place)) + key + bytes.fromhex(body)
        for place, key, body in zip(places, keys, events["body_hash"], strict=True)
    ]
