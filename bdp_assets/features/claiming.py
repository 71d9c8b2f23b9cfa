"""What asks the online store for transactions, and what its replies say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from bdp_assets.clients.redis import Redis, Script, is_one_server
from bdp_assets.clients.redis_exchange import Argument, Command
from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.folding import pair_fields
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import Batch, transaction_key
from bdp_assets.features.served import Seen, Shared
from bdp_assets.features.spec import Entity

CLAIM = Script(files("bdp_assets.features").joinpath("claim.lua").read_text())

NEW, REDELIVERY = 0, 1
"""Statuses, as claim.lua numbers them."""
ANSWERED = 2
"""What has a smaller status comes with what it may see."""
TOGETHER = 100
"""How many transactions of a customer one call claims at most: others have to wait for it."""
READ_TOGETHER = 32
"""Of how many shared entities one command reads the tiles at most."""
_MODES = {"stream": b"s", "api": b"a", "dry": b"d"}
"""As claim.lua names them."""
_SAID = 5
"""What claim.lua says of a transaction before its pairs."""

Codes = Sequence[tuple[Entity, Sequence[int]]]
"""The different ids (as hashes) of each shared entity."""


class Call(NamedTuple):
    """Transactions to claim; for each of them `records.source`, and a mode of claim.lua."""

    transactions: Sequence[ValidatedTransaction]
    batch: Batch
    sources: Sequence[bytes]
    modes: Sequence[str]

    def together(self) -> list[list[int]]:
        """Which of them one script claims, in order: those of a customer."""
        found: dict[str, list[int]] = {}
        for row, transaction in enumerate(self.transactions):
            found.setdefault(transaction.customer_id, []).append(row)
        return [rows[at : at + TOGETHER] for rows in found.values() for at in range(0, len(rows), TOGETHER)]


class Claimed(NamedTuple):
    """What claim.lua says of a transaction. `events`, `folded`, `pairs`: packed, what it may see."""

    status: int
    sequence: int
    newest: int
    events: bytes
    folded: bytes
    decision: bytes | None
    pairs: Sequence[bytes]


def claims(layout: Layout, call: Call, together: Iterable[Sequence[int]]) -> Iterator[Command]:
    """One for the transactions that are claimed together."""
    events = call.batch.packed(layout.ids)
    pairs = [pair_fields(entity, call.batch.columns[entity.keys[1]]) for entity in layout.pairs]
    for rows in together:
        customer = call.transactions[rows[0]].customer_id
        keys = list(layout.keys_of(customer))
        arguments: list[Argument] = [layout.events_s]
        decision = layout.decisions(customer)
        for row in rows:
            transaction = call.transactions[row]
            key = transaction_key(transaction.transaction_id)
            keys.append(decision + key.hex())
            claim = call.sources[row] + key + bytes.fromhex(transaction.body_hash)
            arguments += (_MODES[call.modes[row]] + claim + events[row], *(fields[row] for fields in pairs))
        yield CLAIM.call(keys, *arguments)


def claimed(
    layout: Layout, together: Iterable[Sequence[int]], replies: Iterable[Sequence[Any]]
) -> dict[int, Claimed]:
    """What the replies to `claims` say of transactions, by their rows: nothing where a customer was moved."""
    paired = len(layout.pairs)
    found: dict[int, Claimed] = {}
    for rows, reply in zip(together, replies, strict=True):
        if not reply:
            continue
        events, folded = reply[0], reply[1] or b""
        at = 2
        for row in rows:
            status, sequence, newest, visible, decision = reply[at : at + _SAID]
            at += _SAID + paired
            pairs = [pair or b"" for pair in reply[at - paired : at]] if paired else ()
            found[row] = Claimed(status, sequence, newest, events[:visible], folded, decision, pairs)
    return found


def shared_codes(layout: Layout, batch: Batch) -> Codes:
    return [
        (entity, [code for code in dict.fromkeys(batch.columns[entity.keys[0]].tolist()) if code >= 0])
        for entity in layout.shared
    ]


def tile_reads(client: Redis, layout: Layout, wanted: Codes) -> Iterator[Command]:
    """All tiles of all codes, in order; those that lie on one server several at a time."""
    together = READ_TOGETHER if is_one_server(client) else 1
    for entity, codes in wanted:
        for at in range(0, len(codes), together):
            yield ("MGET", *layout.tiles_of_shared(entity, codes[at : at + together]))


def shared_tiles(
    layout: Layout, batch: Batch, wanted: Codes, replies: Iterable[Sequence[bytes | None]]
) -> dict[Entity, Shared]:
    """What the replies to `tile_reads` say."""
    read = [tiles or b"" for reply in replies for tiles in reply]
    found, start = {}, 0
    for entity, codes in wanted:
        series = layout.shared[entity]
        end = start + len(series) * len(codes)
        tiles = {one.name: read[start + i : end : len(series)] for i, one in enumerate(series)}
        place = {code: i for i, code in enumerate(codes)}
        rows = [place.get(code, -1) for code in batch.columns[entity.keys[0]].tolist()]
        found[entity] = Shared(tiles, rows)
        start = end
    return found


def seen(layout: Layout, told: Sequence[Claimed], shared: dict[Entity, Shared]) -> Seen:
    """What transactions may see: their own customers' state, and shared tiles."""
    return Seen(
        records=[one.events for one in told],
        folded=[one.folded for one in told],
        pairs={entity: [one.pairs[at] for one in told] for at, entity in enumerate(layout.pairs)},
        sequence=[one.sequence for one in told],
        newest=[one.newest for one in told],
        shared=shared,
    )
