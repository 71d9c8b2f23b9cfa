"""How much of everything the bench does."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.stream.effort import Effort as History

CONNECTIONS = (1, 8, 64)
JUDGED = 8
"""Connections at which the sides are compared."""


@dataclass(frozen=True)
class Effort:
    """`sized` claims are counted. Then `repeats` rounds after a warm-up: in each, every side answers `calls`
    at each number of connections.

    The peer, which is slow, answers one in `peer_part` of them. In each, ours also answers `batches` of
    `batch_rows` on one connection. Then ours and the floor answer `tail` calls.
    """

    sized: int = 200
    repeats: int = 3
    calls: int = 4_000
    peer_part: int = 40
    batches: int = 10
    batch_rows: int = 1_000
    tail: int = 100_000
    history_days: int = 30
    customers: int = 10_000
    merchants: int = 5_000

    @property
    def total(self) -> int:
        """Different transactions that ours is sent."""
        a_round = self.calls * len(CONNECTIONS) + self.batches * self.batch_rows
        return self.sized + (self.repeats + 1) * a_round + self.tail

    def history(self) -> History:
        """The same world as the stream's bench, with as many transactions to send."""
        return History(
            repeats=0,
            messages=self.total,
            seconds=0,
            history_days=self.history_days,
            customers=self.customers,
            merchants=self.merchants,
        )
