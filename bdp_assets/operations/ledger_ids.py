"""Millions of transaction ids in eight bytes each: their hashes.

Two of ten million share one with a probability of three in a million; then the ledger sees a doubled id that
is none, and the topics tell.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b
from typing import Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bdp_assets.contracts.records import Decision

_CODES = {decision.value: code for code, decision in enumerate(Decision)}
_OTHER = len(_CODES)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class HasIds(Protocol):
    """A record that names a transaction: the two ids together are unique."""

    @property
    def customer_id(self) -> str: ...

    @property
    def transaction_id(self) -> str: ...


class Ids:
    """Ids in the order in which they were added."""

    def __init__(self) -> None:
        self._hashes = array("Q")

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, record: HasIds) -> None:
        text = f"{record.customer_id}\0{record.transaction_id}".encode()
        self._hashes.append(int.from_bytes(blake2b(text, digest_size=8).digest()))

    def hashes(self) -> NDArray[np.uint64]:
        return np.array(self._hashes, dtype=np.uint64)

    def doubled(self) -> int:
        """Ids beyond the first of their kind."""
        return len(self) - len(np.unique(self.hashes()))

    def missing_in(self, *others: Ids) -> int:
        """How many of them are in none of the others."""
        known = np.concatenate([other.hashes() for other in others])
        return int((~np.isin(self.hashes(), known)).sum())


class Decisions(Ids):
    """Ids with what was decided, and of which transaction: long after, an id may be used again."""

    def __init__(self) -> None:
        super().__init__()
        self._decided = array("B")
        self._bodies = array("I")

    def add(self, record: HasIds, decision: str = "", body: str = "") -> None:
        """`body`: what tells two transactions of one id apart."""
        super().add(record)
        self._decided.append(_CODES.get(decision, _OTHER))
        self._bodies.append(crc32(body.encode()))

    def doubled(self) -> int:
        """Transactions beyond the first of their kind."""
        each = self.hashes()
        each ^= np.array(self._bodies, np.uint64) * _SPREAD  # Over all 64 bits: it wraps.
        return len(self) - len(np.unique(each))

    def contradicted_by(self, other: Decisions) -> int:
        """How many of them are decided otherwise there; those that are not there do not count."""
        theirs, first = np.unique(other.hashes(), return_index=True)
        if not len(theirs):
            return 0
        ours = self.hashes()
        at = np.minimum(theirs.searchsorted(ours), len(theirs) - 1)
        differs = np.array(other._decided, np.uint8)[first[at]] != np.array(self._decided, np.uint8)
        return int(((theirs[at] == ours) & differs).sum())
