"""The shared entities' part of a rebuild: tiles, how far source partitions were added, and known frauds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from bdp_assets.clients.redis_exchange import Argument, Command
from bdp_assets.features.aggregates import Ints
from bdp_assets.features.compiled.codes import BEFORE
from bdp_assets.features.labels import KEY, LabelChanges, label_changes
from bdp_assets.features.layout import Layout, Series
from bdp_assets.features.records import Batch, id_hash
from bdp_assets.features.shared import increments, label_delays, label_increments, label_mark
from bdp_assets.features.spec import Entity


@dataclass(frozen=True)
class SharedTiles:
    """One entity kind. `names`: the identifiers that have state, `tiles`: by series, codes of names and rows.

    For each name and flat: `offsets` as (partition, last offset), `frauds` as (known at, mark).
    """

    entity: Entity
    names: list[str]
    tiles: Mapping[Series, tuple[Ints, Ints]]
    offsets: Mapping[str, list[Argument]]
    frauds: Mapping[str, list[Argument]]


def shared_of(layout: Layout, entity: Entity, arrived: pl.DataFrame, labels: pl.DataFrame) -> SharedTiles:
    """`arrived`: transactions without duplicates, in order of arrival."""
    key = entity.keys[0]
    mine = arrived.drop_nulls(key)
    names = mine[key].unique(maintain_order=True).to_list()
    code = {name: i for i, name in enumerate(names)}
    group = np.array([code[name] for name in mine[key]], dtype=np.int64)
    changes = label_changes(mine, labels)
    counting = changes.where(
        changes.sign != 0
    )  # What was taken back too late leaves no tile, not even an empty one.
    tiles = {one: _tiles(one, mine, group, counting) for one in layout.shared[entity]}
    delays = label_delays(layout.shared[entity])
    return SharedTiles(entity, names, tiles, _offsets(mine, key), _frauds(mine, key, changes, delays))


def shared_commands(layout: Layout, shared: SharedTiles) -> Iterator[Command]:
    for number, (group, table) in enumerate(shared.tiles.values()):
        codes, first = np.unique(group, return_index=True)
        for code, rows in zip(codes.tolist(), np.split(table, first[1:]) if len(first) else [], strict=True):
            key = layout.tiles(shared.entity, shared.names[code])[number]
            yield ("SET", key, rows.astype("<i8").tobytes())
    lifetime = layout.shared_s(shared.entity)
    for name in shared.names:
        if name in shared.offsets:
            yield ("HSET", layout.offsets(shared.entity, name), *shared.offsets[name])
        if name in shared.frauds:
            yield ("ZADD", layout.frauds(shared.entity, name), *shared.frauds[name])
        if lifetime:
            for key in layout.keys_of_shared(shared.entity, [id_hash(name)])[0]:
                yield ("EXPIRE", key, lifetime)


def _tiles(series: Series, mine: pl.DataFrame, group: Ints, changes: LabelChanges) -> tuple[Ints, Ints]:
    """Codes and rows of one series, by code and start, as tiles.lua would have left them."""
    batch = Batch.of_table(mine, ())
    groups, tables = [group], [increments(series, batch)]
    for delay in series.summary.label_delays:
        clock = changes.clock(batch.columns["ts_ms"], delay)
        groups.append(group[changes.row])
        tables.append(label_increments(series.summary, clock - clock % series.hop, changes.sign, delay))
    codes, table = np.concatenate(groups), np.concatenate(tables)
    newest = np.full(int(codes.max(initial=-1)) + 1, BEFORE)
    np.maximum.at(newest, codes, table[:, 0])
    stands = table[:, 0] > newest[codes] - series.keeps
    if series.is_endless:
        table[~stands, 0] = BEFORE
    else:
        codes, table = codes[stands], table[stands]
    return series.summary.merge(codes, table)


def _offsets(mine: pl.DataFrame, key: str) -> dict[str, list[Argument]]:
    found: dict[str, list[Argument]] = {}
    if "coordinates" not in mine.columns:
        return found
    streamed = mine.drop_nulls("coordinates")
    place = pl.col("coordinates").str.extract_groups(r"^(?<partition>.*):(?<offset>\d+)$")
    parts = streamed.select(key, place.alias("place")).unnest("place")
    last = parts.group_by(key, "partition").agg(pl.col("offset").cast(pl.Int64).max())
    for name, partition, offset in last.iter_rows():
        found.setdefault(name, []).extend((partition, offset))
    return found


def _frauds(
    mine: pl.DataFrame, key: str, changes: LabelChanges, delays: list[int]
) -> dict[str, list[Argument]]:
    """Transactions whose last label says fraud."""
    found: dict[str, list[Argument]] = {}
    if not delays:
        return found
    last = {row: i for i, row in enumerate(changes.row.tolist())}
    rows = mine.select(key, *KEY)[list(last)].iter_rows()
    for (name, customer_id, transaction_id), i in zip(rows, last.values(), strict=True):
        if changes.sign[i] > 0:
            marks = [label_mark(customer_id, transaction_id, delay) for delay in delays]
            found.setdefault(name, []).extend(v for m in marks for v in (int(changes.known_at[i]), m))
    return found
