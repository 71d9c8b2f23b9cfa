"""The merchants' part of a rebuild: tiles, how far each source partition was added, and known frauds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from bdp_assets.clients.redis import Argument, Command
from bdp_assets.features.aggregates import Ints
from bdp_assets.features.formulas import COLUMNS, LABEL_FILTER
from bdp_assets.features.history import measured
from bdp_assets.features.labels import KEY, LabelChanges, label_changes
from bdp_assets.features.layout import Layout
from bdp_assets.features.merchants import label_mark


class MerchantTiles(NamedTuple):
    """`table`: merchant_id, tile (ms) and a sum for each measure, sorted.

    For each merchant and flat: `offsets` as (partition, last offset), `frauds` as (known at, mark).
    """

    table: pl.DataFrame
    offsets: dict[str, list[Argument]]
    frauds: dict[str, list[Argument]]


def tiles_of(layout: Layout, arrived: pl.DataFrame, labels: pl.DataFrame) -> MerchantTiles:
    """`arrived`: transactions without duplicates, in order of arrival."""
    changes = label_changes(arrived, labels)
    blocks = [_transaction_tiles(layout, arrived)]
    blocks += [_label_tiles(layout, arrived, changes, delay) for delay in layout.label_delays]
    tile, newest = pl.col("tile"), pl.col("tile").max().over("merchant_id")
    table = (
        pl.concat(blocks)
        .filter(pl.col("merchant_id").is_not_null())
        .group_by("merchant_id", "tile")
        .sum()
        .filter(tile > newest - layout.tiles_ms, newest > tile.max() - layout.tiles_ms)
        .sort("merchant_id", "tile")
    )
    return MerchantTiles(table, _offsets(arrived), _frauds(layout, arrived, changes))


def tile_commands(layout: Layout, tiles: MerchantTiles) -> Iterator[Command]:
    packed = tiles.table.drop("merchant_id").to_numpy().astype("<i8").tobytes()
    width, at, lifetime = 8 * (1 + len(layout.measures)), 0, layout.tiles_ms // 1000
    for length, merchant_id in tiles.table["merchant_id"].rle().struct.unnest().iter_rows():
        end = at + length * width
        key, frauds = layout.tiles(merchant_id), layout.frauds(merchant_id)
        yield ("HSET", key, "t", packed[at:end], *tiles.offsets.get(merchant_id, ()))
        yield ("EXPIRE", key, lifetime)
        if merchant_id in tiles.frauds:
            yield ("ZADD", frauds, *tiles.frauds[merchant_id])
            yield ("EXPIRE", frauds, lifetime)
        at = end


def _transaction_tiles(layout: Layout, arrived: pl.DataFrame) -> pl.DataFrame:
    columns = {name: arrived[name].cast(pl.Int64).to_numpy() for name in COLUMNS}
    nothing = np.zeros(len(arrived), dtype=np.int64)
    sums = [nothing if m.filter == LABEL_FILTER else measured(columns, m) for m in layout.measures]
    return _tiles(layout, arrived["merchant_id"], columns["ts_ms"], sums)


def _label_tiles(layout: Layout, arrived: pl.DataFrame, changes: LabelChanges, delay: int) -> pl.DataFrame:
    clock = changes.clock(arrived["ts_ms"].cast(pl.Int64).to_numpy(), delay)
    mine = [measure.filter == LABEL_FILTER and measure.delay == delay for measure in layout.measures]
    sums = [changes.sign if own else np.zeros_like(changes.sign) for own in mine]
    return _tiles(layout, arrived["merchant_id"].gather(changes.row), clock, sums)


def _tiles(layout: Layout, merchants: pl.Series, clock: Ints, sums: Sequence[Ints]) -> pl.DataFrame:
    named = {f"measure_{i}": values for i, values in enumerate(sums)}
    return pl.DataFrame({"merchant_id": merchants, "tile": clock - clock % layout.tile_ms, **named})


def _offsets(arrived: pl.DataFrame) -> dict[str, list[Argument]]:
    found: dict[str, list[Argument]] = {}
    if "coordinates" not in arrived.columns:
        return found
    streamed = arrived.drop_nulls(["coordinates", "merchant_id"])
    place = pl.col("coordinates").str.extract_groups(r"^(?<partition>.*):(?<offset>\d+)$")
    parts = streamed.select("merchant_id", place.alias("place")).unnest("place")
    last = parts.group_by("merchant_id", "partition").agg(pl.col("offset").cast(pl.Int64).max())
    for merchant_id, partition, offset in last.iter_rows():
        found.setdefault(merchant_id, []).extend((partition, offset))
    return found


def _frauds(layout: Layout, arrived: pl.DataFrame, changes: LabelChanges) -> dict[str, list[Argument]]:
    """Transactions whose last label says fraud."""
    found: dict[str, list[Argument]] = {}
    if not layout.label_delays:
        return found
    last = {row: i for i, row in enumerate(changes.row.tolist())}
    rows = arrived.select("merchant_id", *KEY)[list(last)].iter_rows()
    for (merchant_id, customer_id, transaction_id), i in zip(rows, last.values(), strict=True):
        if changes.sign[i] > 0 and merchant_id is not None:
            marks = [label_mark(customer_id, transaction_id, delay) for delay in layout.label_delays]
            found.setdefault(merchant_id, []).extend(v for m in marks for v in (int(changes.known_at[i]), m))
    return found
