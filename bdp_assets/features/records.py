"""The packed state of the online store: fixed-width little-endian int64 records that NumPy reads as columns.

A customer is two strings with a record for each event, in the order they were applied (written by claim.lua):
what features read of it, and its claim. What was folded, and shared entities' tiles, are strings of summary
rows. The layouts here and there are one thing: change them together.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.aggregates import Ints
from bdp_assets.features.compiled.codes import SEQUENCE_BITS
from bdp_assets.features.formulas import COLUMNS, NUMBERS, check_range, checked

if TYPE_CHECKING:
    import polars as pl

NO_SOURCE = bytes(8)
"""Claimed by the API; the first stream delivery adopts it."""
HISTORY = b"\xff" * 8
"""Came through the history door: published already, so a stream delivery is a duplicate."""

MOMENT, TIME, NEWEST = 0, 1, 2
FIXED = 3
"""Columns before an event's numbers and ids: the moment (sequence in its low half, tag in its high half), the
time, and the newest before."""
CLAIM_BYTES = 40  # source (8), transaction key (16), body hash (16)
_KEY_AT = 8


def record_width(ids: Sequence[str]) -> int:
    """int64s in an event record that keeps these ids: 3 fixed ones, the numbers, a hash for each id."""
    return FIXED + len(NUMBERS) + len(ids)


def column_names(ids: Sequence[str]) -> tuple[str, ...]:
    """What is known of a stored event: its time, then what stands after its fixed part."""
    return ("ts_ms", *NUMBERS, *ids)


def source(coordinates: str | None) -> bytes:
    """8 bytes for where a message stands (`topic id:partition:offset`), or for the API."""
    return NO_SOURCE if coordinates is None else blake2b(coordinates.encode(), digest_size=8).digest()


def transaction_key(transaction_id: str) -> bytes:
    return blake2b(transaction_id.encode(), digest_size=16).digest()


class Batch:
    """n transactions: a `table`, int64 [columns, n]; its `columns` by name; ids as hashes."""

    def __init__(self, names: Sequence[str], table: Ints) -> None:
        self.table = table
        self.columns: Mapping[str, Ints] = dict(zip(names, table, strict=True))

    @classmethod
    def of(cls, transactions: Sequence[ValidatedTransaction], ids: Sequence[str]) -> Batch:
        """Raises ValueError when a number is outside its column's range."""
        # Plain numbers as long as can be: of a single transaction, each step in NumPy costs microseconds.
        values = {name: [getattr(t, name) for t in transactions] for name in COLUMNS}
        for name in NUMBERS if transactions else ():
            check_range(name, min(values[name]), max(values[name]))
        for name in ids:
            values[name] = [id_hash(getattr(t, name)) for t in transactions]
        return cls([*values], np.array([*values.values()], dtype=np.int64))

    @classmethod
    def of_table(cls, rows: pl.DataFrame, ids: Sequence[str]) -> Batch:
        """`rows`: the numbers and ids of transactions, by name. Raises as `of`."""
        numbers = [checked(name, rows[name].to_numpy().astype(np.int64, copy=False)) for name in COLUMNS]
        hashes = [np.array([id_hash(i) for i in rows[name].to_list()], dtype=np.int64) for name in ids]
        return cls((*COLUMNS, *ids), np.stack([*numbers, *hashes]))

    def __len__(self) -> int:
        return len(self.columns["ts_ms"])

    def kept(self, ids: Sequence[str]) -> Ints:
        """What a record keeps of each event after its fixed part, int64 [n, numbers and ids]."""
        return np.column_stack([self.columns[name] for name in (*NUMBERS, *ids)])

    def packed(self, ids: Sequence[str]) -> list[bytes]:
        """What a record keeps of each event after its sequence and tag, but for the newest time before."""
        names = column_names(ids)
        pack_row = partial(struct.pack, f"<{len(names)}q")
        return list(map(pack_row, *(self.columns[name].tolist() for name in names)))


@lru_cache(maxsize=65_536)  # The same merchants come again and again; 12 MB when full.
def id_hash(value: str | None) -> int:
    """63-bit BLAKE2b of an id; -1 without one."""
    if value is None:
        return -1
    return int.from_bytes(blake2b(value.encode(), digest_size=8).digest(), "little") >> 1


def claim(coordinates: str | None, transaction_id: str, body_hash: str) -> bytes:
    """`CLAIM_BYTES`: source, transaction key, body hash."""
    return source(coordinates) + transaction_key(transaction_id) + bytes.fromhex(body_hash)


def pack(moments: Ints, keys: Sequence[bytes] | None, kept: Ints) -> bytes:
    """n event records, from `moments` int64 [n, 3] (sequence, time, newest before) and `Batch.kept`.

    `keys`: of their transactions; None for events that claim.lua will not see.
    """
    table = np.concatenate([moments, kept], axis=1).astype("<i8")
    if keys is not None:
        tags = np.frombuffer(b"".join(key[:4] for key in keys), dtype="<u4")
        table[:, MOMENT] |= (tags.astype(np.uint64) << np.uint64(SEQUENCE_BITS)).view(np.int64)
    return table.tobytes()


def sequence_of(moment: Ints) -> Ints:
    return moment & ((1 << SEQUENCE_BITS) - 1)


def unpack(packed: Sequence[bytes], width: int) -> tuple[Ints, Ints]:
    """Which of the strings each row comes from, int64 [n], and the rows, int64 [n, width]."""
    table = np.frombuffer(b"".join(packed), dtype="<i8").reshape(-1, width)
    return np.repeat(np.arange(len(packed)), [len(rows) // (8 * width) for rows in packed]), table


def find_claim(claims: bytes, transaction_id: str) -> int | None:
    """Which of a customer's records is that transaction's."""
    key = transaction_key(transaction_id)
    at = claims.find(key)
    while at >= 0 and at % CLAIM_BYTES != _KEY_AT:
        at = claims.find(key, at + 1)
    return None if at < 0 else at // CLAIM_BYTES


@dataclass(frozen=True)
class Events:
    """n stored events that transactions may see, int64 [n, width]; `row`: which transaction each is for."""

    row: Ints
    table: Ints
    ids: Sequence[str]

    @classmethod
    def unpack(cls, packed: Sequence[bytes], ids: Sequence[str]) -> Events:
        return cls(*unpack(packed, record_width(ids)), ids)

    @property
    def sequence(self) -> Ints:
        return sequence_of(self._at(MOMENT))

    @property
    def ts(self) -> Ints:
        return self._at(TIME)

    @property
    def columns(self) -> dict[str, Ints]:
        """As `Batch.columns`."""
        values = (self.ts, *(self._at(column) for column in range(FIXED, self.table.shape[1])))
        return dict(zip(column_names(self.ids), values, strict=True))

    def _at(self, column: int) -> Ints:
        return self.table[:, column].copy()  # Contiguous: it is read more than once.
