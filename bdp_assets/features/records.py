"""The packed state of the online store: fixed-width little-endian int64 records that NumPy reads as columns.

A customer is one string of event records in the order they were applied (written by claim.lua), a merchant
one string of tiles (tiles.lua). The layouts here and there are one thing: change them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.aggregates import Ints
from bdp_assets.features.formulas import COLUMNS, EVENT_COLUMNS, FILTERS, checked
from bdp_assets.features.history import Measure, measured

NO_SOURCE = bytes(8)
"""Claimed by the API; the first stream delivery adopts it."""
HISTORY = b"\xff" * 8
"""Came through the history door: published already, so a stream delivery is a duplicate."""

_SEQUENCE, _TIME, _NEWEST = 0, 1, 2
_FIXED = 8  # sequence, time, newest, source, transaction key (2), body hash (2)
_MERCHANT, _FLAGS = _FIXED + len(EVENT_COLUMNS), _FIXED + len(EVENT_COLUMNS) + 1
WIDTH = _FLAGS + 1
"""int64s in an event record: 8 fixed ones, the event columns, the merchant's hash, one flag bit a filter."""
RECORD_BYTES = 8 * WIDTH


def source(coordinates: str | None) -> bytes:
    """8 bytes for where a message stands (`topic id:partition:offset`), or for the API."""
    return NO_SOURCE if coordinates is None else blake2b(coordinates.encode(), digest_size=8).digest()


def transaction_key(transaction_id: str) -> bytes:
    return blake2b(transaction_id.encode(), digest_size=16).digest()


class Batch:
    """n transactions: their `columns` and `hashes` of merchants int64 [n], `merchants` the ids or None."""

    def __init__(self, columns: Mapping[str, Ints], merchants: Sequence[str | None]) -> None:
        self.columns = {name: checked(name, columns[name]) for name in COLUMNS}
        self.merchants = merchants
        self.hashes = np.array([_merchant_hash(merchant) for merchant in merchants], dtype=np.int64)

    @classmethod
    def of(cls, transactions: Sequence[ValidatedTransaction]) -> Batch:
        columns = {n: np.array([getattr(t, n) for t in transactions], dtype=np.int64) for n in COLUMNS}
        return cls(columns, [transaction.merchant_id for transaction in transactions])

    def kept(self) -> Ints:
        """What a record keeps of each event after its fixed part, int64 [n, WIDTH - 8]."""
        flags = np.zeros_like(self.hashes)
        for bit, name in enumerate(FILTERS):
            flags |= measured(self.columns, Measure(filter=name)) << bit
        return np.column_stack([*(self.columns[name] for name in EVENT_COLUMNS), self.hashes, flags])


def _merchant_hash(merchant_id: str | None) -> int:
    """64-bit BLAKE2b of the id as a signed integer; 0 without a merchant."""
    if merchant_id is None:
        return 0
    return int.from_bytes(blake2b(merchant_id.encode(), digest_size=8).digest(), "little", signed=True)


def pack(moments: Ints, identities: Sequence[bytes], columns: Ints) -> bytes:
    """n event records, from `moments` int64 [n, 3] (sequence, time, newest before), `identities` of 40 bytes
    (source, transaction key, body hash) and `columns` as `Batch.kept` gives them."""
    fixed = np.frombuffer(b"".join(identities), dtype="<i8").reshape(-1, _FIXED - 3)
    return np.concatenate([moments, fixed, columns], axis=1).astype("<i8").tobytes()


@dataclass(frozen=True)
class Events:
    """n events that transactions may see: `row` says which of them, `index` where in `table`, int64 [n]."""

    row: Ints
    index: Ints
    table: Ints

    @classmethod
    def unpack(cls, packed: Sequence[bytes]) -> Events:
        table = np.frombuffer(b"".join(packed), dtype="<i8").reshape(-1, WIDTH)
        row = np.repeat(np.arange(len(packed)), [len(records) // RECORD_BYTES for records in packed])
        return cls(row, np.arange(len(row)), table)

    def where(self, mask: NDArray[np.bool_]) -> Events:
        return self if mask.all() else Events(self.row[mask], self.index[mask], self.table)

    @property
    def sequence(self) -> Ints:
        return self._at(_SEQUENCE)

    @property
    def ts(self) -> Ints:
        return self._at(_TIME)

    @property
    def merchant(self) -> Ints:
        return self._at(_MERCHANT)

    def column(self, name: str) -> Ints:
        return self._at(_FIXED + EVENT_COLUMNS.index(name))

    def measure(self, measure: Measure) -> Ints:
        """What each event adds to a measure, from its columns and flags."""
        values = np.ones_like(self.row) if measure.column is None else self.column(measure.column)
        if measure.filter is None:
            return values
        return values * (self._at(_FLAGS) >> tuple(FILTERS).index(measure.filter) & 1)

    def _at(self, column: int) -> Ints:
        values: Ints = self.table[self.index, column]
        return values


@dataclass(frozen=True)
class Tiles:
    """n tiles: `row` of the merchant, int64 [n]; `table` int64 [n, 1 + measures], start in ms and sums."""

    row: Ints
    table: Ints

    @classmethod
    def unpack(cls, packed: Sequence[bytes], measures: int) -> Tiles:
        table = np.frombuffer(b"".join(packed), dtype="<i8").reshape(-1, 1 + measures)
        row = np.repeat(np.arange(len(packed)), [len(tiles) // (8 * (1 + measures)) for tiles in packed])
        return cls(row, table)
