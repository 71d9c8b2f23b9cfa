"""What asks the online store for transactions, and what its replies say of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from bdp_assets.clients.redis import Script
from bdp_assets.clients.redis_exchange import Command
from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.folding import pair_fields
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import Batch, transaction_key
from bdp_assets.features.served import Seen, Shared
from bdp_assets.features.spec import Entity

CLAIM = Script(files("bdp_assets.features").joinpath("claim.lua").read_text())

ANSWERED, MOVED = 2, 4
"""A reply's status: below the first it comes with state; the second: claim in another generation."""
RECORDS, FOLDED, DECISION = 3, 4, 5
"""Where they stand in a reply."""
_PAIRS = 6

Reply = list[Any]
Codes = Sequence[tuple[Entity, Sequence[int]]]
"""The different ids (as hashes) of each shared entity."""


class Call(NamedTuple):
    """Transactions to claim; for each of them `records.source`, and a mode of claim.lua."""

    transactions: Sequence[ValidatedTransaction]
    batch: Batch
    sources: Sequence[bytes]
    modes: Sequence[str]


def claims(layout: Layout, call: Call) -> Iterator[Command]:
    """One for each transaction, in order."""
    columns = call.batch.kept(layout.ids).astype("<i8")
    packed, size = columns.tobytes(), 8 * columns.shape[1]
    kept = [packed[at : at + size] for at in range(0, len(packed), size)]
    pairs = [pair_fields(entity, call.batch.columns[entity.keys[1]]) for entity in layout.pairs]
    for i, (t, place, mode) in enumerate(zip(call.transactions, call.sources, call.modes, strict=True)):
        events, claimed, folded, paired = layout.keys_of(t.customer_id)
        key = transaction_key(t.transaction_id)
        yield CLAIM.call(
            (events, claimed, layout.decision(t.customer_id, key), folded, paired),
            *(mode, key, struct.pack("<q", t.ts_ms), place),
            *(bytes.fromhex(t.body_hash), kept[i], layout.events_s),
            *(fields[i] for fields in pairs),
        )


def shared_codes(layout: Layout, batch: Batch) -> Codes:
    return [
        (entity, [code for code in dict.fromkeys(batch.columns[entity.keys[0]].tolist()) if code >= 0])
        for entity in layout.shared
    ]


def tile_reads(layout: Layout, wanted: Codes) -> Iterator[Command]:
    """One for each code, in order."""
    for entity, codes in wanted:
        for code in codes:
            yield ("HMGET", layout.tiles(entity, code), *(one.name for one in layout.shared[entity]))


def shared_tiles(
    layout: Layout, batch: Batch, wanted: Codes, replies: Iterable[Sequence[bytes | None]]
) -> dict[Entity, Shared]:
    """What the replies to `tile_reads` say."""
    replies = iter(replies)
    found = {}
    for entity, codes in wanted:
        read = [next(replies) for _ in codes]
        place = {code: i for i, code in enumerate(codes)}
        rows = [place.get(code, -1) for code in batch.columns[entity.keys[0]].tolist()]
        tiles = {one.name: [reply[i] or b"" for reply in read] for i, one in enumerate(layout.shared[entity])}
        found[entity] = Shared(tiles, np.array(rows, dtype=np.int64))
    return found


def seen(layout: Layout, replies: Sequence[Reply], shared: dict[Entity, Shared]) -> Seen:
    """What transactions may see: the replies to `claims`, and shared tiles."""
    pairs = range(_PAIRS, _PAIRS + len(layout.pairs))
    nothing: Reply = [0, 0, 0, b"", None, None, *(None for _ in pairs)]
    known = [reply if reply[0] < ANSWERED else nothing for reply in replies]
    return Seen(
        records=[reply[RECORDS] for reply in known],
        folded=[reply[FOLDED] or b"" for reply in known],
        pairs={
            entity: [reply[at] or b"" for reply in known]
            for at, entity in zip(pairs, layout.pairs, strict=True)
        },
        sequence=np.array([reply[1] for reply in known], dtype=np.int64),
        newest=np.array([reply[2] for reply in known], dtype=np.int64),
        shared=shared,
    )
